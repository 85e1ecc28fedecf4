"""Names that the generator and its users share."""

METHODS_WITH_BODY = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"}
"""Methods whose operations describe a request body if the endpoint takes one."""

REF_PREFIX = "#/components/schemas/"
"""Where the document keeps its models."""

REF_TEMPLATE = REF_PREFIX + "{model}"
"""The pointer to a model, a template for pydantic's JSON Schema generator."""
