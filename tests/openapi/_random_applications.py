"""Random applications: routers, routes, parameters of all sources, dependencies, security, responses, callbacks."""

from __future__ import annotations

from ._random_models import CUT, PRELUDE, ModelModule
from ._random_types import Chooser, Names, annotation, chance, model, pick, some

PARAMETER_NAMES = ("q", "x_token", "page", "tags", "name", "item_id", "body", "filter_by")
PARAMETER_TYPES = (
    "{}", "{} | None", "list[{}]", "Annotated[{}, Field(title='T')]", "set[{}]", "List[{}]", "list[{}] | None",
    "Sequence[{}]", "tuple[{}, int]", "Optional[{}]", "Any",
)  # fmt: skip
DECLARED_FACTS = (
    "description='Said'", "title='Called'", "alias='ali-as'", "examples=['e']", "deprecated=True",
    "include_in_schema=False", "json_schema_extra={'x-a': 1}", "validation_alias='val'", "min_length=1", "ge=1",
    "openapi_examples={'one': {'summary': 'One', 'value': 1}}", "pattern='^a'", "serialization_alias='ser'",
    "description='Cut\\fhere'", "example=3", "validation_alias=AliasChoices('c1', 'c2')", "strict=True",
    "multiple_of=2", "discriminator='kind'", "regex='b'",
)  # fmt: skip
BODY_FACTS = ("embed=True", "media_type='application/x-own'", "embed=False", "media_type='text/plain'")
PARAMETER_SOURCES = ("", "Query", "Header", "Cookie", "Path", "Query model", "Header model", "Cookie model")
BODY_SOURCES = ("", "Body", "Body", "Form", "Form", "File", "Form model", "Form model")
PARAMETER_DEFAULTS = ("", "", "None", "1", "'x'", "[]", "FACTORY", "...")
RESPONSE_CLASSES = (
    "fw.responses.JSONResponse", "fw.responses.HTMLResponse", "fw.responses.Response", "fw.responses.PlainTextResponse",
    "fw.responses.RedirectResponse", "fw.responses.StreamingResponse", "fw.responses.FileResponse", "OwnResponse",
    "fw.sse.EventSourceResponse",
)  # fmt: skip
STATUS_CODES = ("200", "201", "204", "304", "418", "HTTPStatus.CREATED", "299", "205")
RESPONSE_KEYS = ("404", "'4XX'", "'default'", "200", "'201'", "422", "204", "'5xx'", "599", "'DEFAULT'")
RESPONSE_FACTS = (
    "'description': 'Told'", "'content': {'image/png': {}}", "'headers': {'X-A': {'schema': {'type': 'string'}}}",
    "'content': {'application/json': {'example': {'a': 1}}}", "'links': {'l': {'operationId': 'x'}}",
    "'description': ''", "'content': {'application/json': {'schema': {'x-s': 1}}}", "'model': None", "'x-own': 1",
)  # fmt: skip
ROUTE_FACTS = (
    "summary='In short'", "description='Told\\n  here\\fhidden'", "response_description='Done'", "deprecated=True",
    "include_in_schema=False", "name='named'", "operation_id='op'", "tags=['t1', Tagged.one]", "tags=['t2']",
    "openapi_extra={'x-extra': {'a': 1}, 'tags': ['t3']}",
    "generate_unique_id_function=lambda route: 'f-' + route.name",
    "response_model_exclude_none=True", "response_model_by_alias=False", "openapi_extra={'parameters': [{'name': 'n', "
    "'in': 'query'}]}", "deprecated=False", "summary=''", "description=''", "response_model_exclude={'a'}",
    "openapi_extra={'requestBody': {'description': 'Sent'}, 'responses': {'200': {'description': 'X'}}}",
    "description='   padded \\n\\n  text'", "openapi_extra={'security': []}",
)  # fmt: skip
PATHS = ("/", "/items", "/items/{item_id}", "/{name}/x", "/n/{q:int}", "/f/{page:path}", "")
METHODS = ("get", "post", "put", "delete", "options", "head", "patch", "trace")
SCHEMES = (
    "security.HTTPBasic()", "security.HTTPBearer(bearerFormat='JWT', description='Bears')",
    "security.HTTPDigest(scheme_name='Digested')", "security.APIKeyHeader(name='x-key')",
    "security.APIKeyQuery(name='k', description='Key')", "security.APIKeyCookie(name='c', auto_error=False)",
    "security.OAuth2PasswordBearer(tokenUrl='token', scopes={'read': 'Reads', 'write': 'Writes'})",
    "security.OpenIdConnect(openIdConnectUrl='/oidc')", "security.OAuth2(flows={'implicit': {'authorizationUrl': '/a', "
    "'scopes': {'read': 'R'}}})", "security.OAuth2AuthorizationCodeBearer(authorizationUrl='/a', tokenUrl='t')",
    "security.HTTPBase(scheme='Own')",
)  # fmt: skip
SCOPES = ("", ", scopes=['read']", ", scopes=['write', 'read']", ", scopes=['read', 'read']")
SETTINGS = (
    "title='Shop'", "summary='Sells'", "description='Sells\\fthings'", "version='2'", "terms_of_service='http://t'",
    "contact={'name': 'N', 'url': 'http://c', 'x-c': 1}", "license_info={'name': 'MIT', 'identifier': 'MIT'}",
    "openapi_tags=[{'name': 't1', 'description': 'T', 'externalDocs': {'url': 'http://d'}}]", "deprecated=True",
    "servers=[{'url': '/v1', 'description': 'S', 'variables': {'v': {'default': 'd'}}}]",
    "openapi_external_docs={'url': 'http://e', 'description': 'E'}", "separate_input_output_schemas=False",
    "responses={403: {'description': 'No'}}", "default_response_class=fw.responses.HTMLResponse",
    "include_in_schema=False", "generate_unique_id_function=lambda route: route.name",
)  # fmt: skip
ROUTER_FACTS = (
    "prefix='/p'", "tags=['r']", "deprecated=True", "include_in_schema=False",
    "responses={404: {'description': 'R'}, '5XX': {'model': int}}", "prefix='/{item_id}'",
    "default_response_class=fw.responses.PlainTextResponse",
    "generate_unique_id_function=lambda route: 'r' + route.name",
)  # fmt: skip
APPLICATION_PRELUDE = (
    PRELUDE
    + """
import functools, warnings
from http import HTTPStatus
from typing import Annotated
security = fw.security
class Tagged(enum.Enum):
    one = 'tag-one'
class OwnResponse(fw.responses.JSONResponse):
    media_type = 'application/vnd.own+json'
    def __init__(self, content=None, status_code: int = 202, **more): super().__init__(content, status_code, **more)
"""
)


class Application:
    """The source of an application that uses the types `names`.

    Parameters:
        choose: who decides.
        names: the types of the modules of models.
    """

    def __init__(self, choose: Chooser, names: Names) -> None:
        self.choose = choose
        self.names = names
        self.lines: list[str] = []
        self.dependencies: list[str] = []
        self.schemes: list[str] = []
        self._functions = 0

    def write(self) -> str:
        """The source; `app` is the application."""
        choose = self.choose
        for number, scheme in enumerate(some(choose, SCHEMES)):
            self.lines.append(f"scheme{number} = {scheme}")
            self.schemes.append(f"scheme{number}")
        for _ in range(choose.below(4)):
            self._dependency()
        self.lines += [CUT, "app = fw.FastAPI()", CUT]
        self.lines.append(f"app = fw.FastAPI({self._options(SETTINGS, 3)})")
        self._routes("app", 1 + choose.below(3))
        for number in range(choose.below(3)):
            self._router(f"router{number}")
        if chance(choose, 10):
            self._routes("app.webhooks", 1)
        return APPLICATION_PRELUDE + "\n".join(self.lines) + "\n"

    def _options(self, facts: tuple[str, ...], most: int) -> str:
        chosen = {fact.split("=")[0]: fact for fact in some(self.choose, facts, most)}
        if chance(self.choose, 20):
            chosen["dependencies"] = f"dependencies=[{self._use()}]"
        return ", ".join(chosen.values())

    def _use(self) -> str:
        """A `Depends` or `Security` of what has been declared."""
        choose = self.choose
        target = pick(choose, [*self.dependencies, *self.schemes] or ["int"])
        if target == "int":
            return "fw.Depends(lambda q=1: q)"
        if chance(choose, 30):
            return f"fw.Security({target}{pick(choose, SCOPES)})"
        return f"fw.Depends({target}{pick(choose, ('', '', ', use_cache=False'))})"

    def _dependency(self) -> None:
        name = f"dependency{len(self.dependencies)}"
        self.lines.append(CUT)
        parameters = self._parameters(3, bodies=chance(self.choose, 20))
        if chance(self.choose, 30):
            self.lines += [f"class {name}:", f"    def __init__(self, {parameters}): ..."]
        else:
            self.lines.append(f"def {name}({parameters}): ...")
        self.dependencies.append(name)

    def _parameters(self, most: int, *, bodies: bool) -> str:
        """The parameters of a function, keywords only so that defaults may stand anywhere."""
        choose = self.choose
        parts = [self._parameter(name, bodies) for name in some(choose, PARAMETER_NAMES, most)]
        if chance(choose, 30):
            parts.append(pick(choose, ("used={}", "used: Annotated[Any, {}]")).format(self._use()))
        if chance(choose, 5):
            parts.append("request: fw.Request")
        return "*, " + ", ".join(parts) if parts else ""

    def _parameter(self, name: str, bodies: bool) -> str:
        choose = self.choose
        source = pick(choose, PARAMETER_SOURCES + BODY_SOURCES if bodies else PARAMETER_SOURCES)
        type_ = model(choose, self.names, 0) if source.endswith("model") or (bodies and not source) else self._simple()
        source = source.removesuffix(" model")
        if source == "File":
            type_ = pick(
                choose, ("bytes", "fw.UploadFile", "list[fw.UploadFile]", "fw.UploadFile | None", "list[bytes]")
            )
        default = pick(choose, PARAMETER_DEFAULTS)
        if not source:
            return f"{name}: {type_}" + (f" = {default}" if default not in ("", "FACTORY", "...") else "")
        facts = some(choose, DECLARED_FACTS, 2)
        if source == "Header" and chance(choose, 20):
            facts.append("convert_underscores=False")
        if source in ("Body", "Form", "File") and chance(choose, 30):
            facts.append(pick(choose, BODY_FACTS if source == "Body" else BODY_FACTS[1:2]))
        if chance(choose, 60):
            default = "" if default == "..." else default  # docs/compatibility.md has what differs
            if default == "FACTORY":
                facts, default = [*facts, "default_factory=list"], ""
            return f"{name}: Annotated[{type_}, fw.{source}({', '.join(facts)})]" + (f" = {default}" if default else "")
        first = [default] if default not in ("", "FACTORY") else []
        facts += ["default_factory=list"] if default == "FACTORY" else []
        return f"{name}: {type_} = fw.{source}({', '.join([*first, *facts])})"

    def _simple(self) -> str:
        """A type that a parameter may have; seldom one that it may not."""
        choose = self.choose
        if chance(choose, 15):
            return annotation(choose, self.names, 1)
        inner = pick(choose, ("int", "str", "bool", "date", "Literal['a', 'b']", "float", "UUID", *self.names.enums))
        return pick(choose, PARAMETER_TYPES).format(inner)

    def _responses(self) -> str:
        choose = self.choose
        entries = []
        for key in some(choose, RESPONSE_KEYS, 2):
            facts = some(choose, RESPONSE_FACTS, 2)
            if chance(choose, 50):
                facts.append(f"'model': {model(choose, self.names)}")
            entries.append(f"{key}: {{{', '.join(facts)}}}")
        return f"responses={{{', '.join(entries)}}}"

    def _routes(self, target: str, count: int, *, callbacks: bool = True) -> None:
        choose = self.choose
        for _ in range(count):
            self.lines.append(CUT)
            method = pick(choose, METHODS)
            path = pick(choose, PATHS)
            options = self._options(ROUTE_FACTS, 3)
            more = [repr(path if not target.startswith("app") or path else "/")] + ([options] if options else [])
            more += self._route_options()
            several = chance(choose, 10)
            if callbacks and not (several and target == "app") and chance(choose, 15):
                self.lines.append(f"callbacks{self._functions} = fw.APIRouter()")
                name = f"callbacks{self._functions}"
                self._routes(name, 1, callbacks=chance(choose, 20))
                self.lines.append(CUT)
                more.append(f"callbacks={name}.routes")
            if several:
                methods = some(choose, [name.upper() for name in METHODS]) or ["GET"]
                self.lines.append(f"@{target}.api_route({', '.join(more)}, methods={methods!r})")
            else:
                self.lines.append(f"@{target}.{method}({', '.join(more)})")
            self._function()

    def _route_options(self) -> list[str]:
        choose = self.choose
        options = []
        if chance(choose, 30):
            options.append(self._responses())
        if chance(choose, 20):
            options.append(f"response_class={pick(choose, RESPONSE_CLASSES)}")
        if chance(choose, 20):
            options.append(f"status_code={pick(choose, STATUS_CODES)}")
        if chance(choose, 20):
            options.append("response_model=" + pick(choose, ("None", model(choose, self.names))))
        return options

    def _function(self) -> None:
        choose = self.choose
        name = f"function_{self._functions}"
        self._functions += 1
        result = ""
        body = pick(choose, ("...", "'Told.'", "'''Told.\n\n       More.\n    '''", "'Told.\\fHidden.'", "'\\fHidden'"))
        if chance(choose, 65):
            result = " -> " + pick(choose, (model(choose, self.names), annotation(choose, self.names), "None",
                                            "fw.Response", "fw.responses.HTMLResponse"))  # fmt: skip
        elif chance(choose, 20):
            result = f" -> {pick(choose, ('Iterable', 'Iterator', 'AsyncIterable'))}[{model(choose, self.names)}]"
            body = "yield"
        if result != " -> None" and chance(choose, 8):
            self._callable(name, result)
            return
        start = "async def" if "Async" in result else pick(choose, ("def", "async def"))
        if "Iter" in result and "Async" not in result:
            start = "def"
        self.lines += [f"{start} {name}({self._parameters(4, bodies=chance(choose, 50))}){result}:", f"    {body}"]

    def _callable(self, name: str, result: str) -> None:
        """An endpoint that is no function: the decorator above calls what stands below it."""
        parameters = self._parameters(3, bodies=chance(self.choose, 30))
        decorator = self.lines.pop()[1:]
        self.lines += [f"class {name}:", "    'Told by the class.'"]
        self.lines.append(f"    def method(self, {parameters}){result}: 'Told by the method.'")
        self.lines.append(f"    def __call__(self, {parameters}){result}: 'Told by the call.'")
        ends = ("{}().method", "functools.partial({}().method)", "{}()", "functools.partial({}())")
        end = pick(self.choose, ends).format(name)
        self.lines.append(
            f"{decorator[:-1]}, name='{name}')({end})" if "name=" not in decorator else f"{decorator}({end})"
        )

    def _router(self, name: str) -> None:
        choose = self.choose
        facts = self._options(ROUTER_FACTS, 2)
        self.lines += [CUT, f"{name} = fw.APIRouter()", CUT, f"{name} = fw.APIRouter({facts})"]
        self._routes(name, 1 + choose.below(2))
        parents = ["app"] + ([f"{name[:-1]}{int(name[-1]) - 1}"] if name[-1] != "0" else [])
        for _ in range(1 + chance(choose, 15)):
            facts = self._options(ROUTER_FACTS, 2)
            self.lines.append(CUT)
            self.lines.append(f"{pick(choose, parents)}.include_router({name}{', ' + facts if facts else ''})")


def write_application(choose: Chooser) -> dict[str, str]:
    """The source of two modules of models and of an application, by the names of the modules."""
    first = ModelModule(choose, Names())
    sources = {"alpha": first.write(1 + choose.below(5))}
    known = Names(*([f"alpha.{name}" for name in getattr(first.own, group)] for group in
                    ("models", "generics", "enums", "others")))  # fmt: skip
    second = ModelModule(choose, known)
    count = choose.below(5)
    sources["beta"] = second.write(count)
    own = Names(*([f"beta.{name}" for name in getattr(second.own, group)] for group in
                  ("models", "generics", "enums", "others")))  # fmt: skip
    names = Names(known.models + own.models, known.generics + own.generics, known.enums + own.enums,
                  known.others + own.others)  # fmt: skip
    sources["application"] = Application(choose, names).write()
    return sources
