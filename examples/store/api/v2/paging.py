"""Where a list goes on."""

from ferrapi import Request


def next_page(request: Request, total: int, limit: int, offset: int) -> str | None:
    """Returns the path of the next page with the request's other query parameters kept, or None on the last one."""
    if offset + limit >= total:
        return None
    url = request.url.include_query_params(limit=limit, offset=offset + limit)
    return f"{url.path}?{url.query}"
