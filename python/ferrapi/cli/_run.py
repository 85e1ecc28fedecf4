"""``ferrapi run`` and ``ferrapi dev``: find the application, say what will be served where, and serve it.

What can go wrong before the first request is found out here, so that it is one sentence and not a traceback from the
server. In a process that only supervises others the application is imported only if its name has to be looked for.
"""

from __future__ import annotations

import argparse
import functools
import os
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._discovery import Found
from ._listening import check_address, check_socket
from ._loading import found, load
from ._messages import Refused

if TYPE_CHECKING:
    from ._serving import ServeConfig

_CERT_REQS = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop. Answers the exit status.

    Raises:
        Refused: for what keeps the server from starting.
    """
    if options.reload and (options.workers or 1) > 1:
        raise Refused("--workers and --reload exclude each other", 2)
    if options.limit_max_requests_jitter and options.limit_max_requests is None:
        raise Refused("--limit-max-requests-jitter needs --limit-max-requests, which it adds to", 2)
    _check_files(options)
    if options.command == "dev":
        os.environ.setdefault("FASTAPI_ENV", "development")
    try:
        from . import _serving as serving
    except ImportError as exc:
        raise Refused(f"Serving an application needs uvicorn ({exc}): pip install 'ferrapi[standard]'") from exc
    http = _http(options.http, serving)
    limits = _limits(options, http, serving)
    place = found(options.path, options.app, options.entrypoint)
    config = _config(options, place, http, limits, serving)
    config.before = functools.partial(_begin, options, place, imports=not config.use_subprocess)
    return serving.serve(config)


def _begin(options: argparse.Namespace, place: Found, *, imports: bool) -> None:
    """What comes right before serving: is the address free, can the application be imported; and the introduction.

    Parameters:
        options: the command's.
        place: where the application is.
        imports: whether it is this process that serves.
    """
    if options.uds is None:
        check_address(options.host, options.port)
    else:
        check_socket(options.uds)
    app = None
    if imports:
        app = load(place.import_string)
    elif place.module in sys.modules:
        app = getattr(sys.modules[place.module], place.name, None)
    _introduce(options, place, app)
    sys.stdout.flush()


def _check_files(options: argparse.Namespace) -> None:
    """Refuse files and folders that aren't there."""
    for option in ("log_config", "ssl_certfile", "ssl_keyfile", "ssl_ca_certs"):
        file = getattr(options, option)
        if file is not None and not Path(file).is_file():
            raise Refused(f"--{option.replace('_', '-')}: there is no file {file}", 2)
    for folder in options.reload_dir or ():
        if not Path(folder).is_dir():
            raise Refused(f"--reload-dir: there is no folder {folder}", 2)
    if options.ssl_certfile is None and (options.ssl_keyfile or options.ssl_ca_certs):
        raise Refused("TLS needs a certificate: give --ssl-certfile too", 2)
    if options.ssl_certfile is not None:
        _check_certificate(options)


def _check_certificate(options: argparse.Namespace) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    password = options.ssl_keyfile_password
    try:
        context.load_cert_chain(options.ssl_certfile, options.ssl_keyfile, lambda: password or "")
        if options.ssl_ca_certs:
            context.load_verify_locations(options.ssl_ca_certs)
        if options.ssl_ciphers:
            context.set_ciphers(options.ssl_ciphers)
    except (ssl.SSLError, OSError) as exc:
        reason = getattr(exc, "reason", None) or str(exc) or "they can't be read"
        raise Refused(f"The certificate and the options beside it can't be used: {reason}", 2) from exc


def _http(name: str, serving: Any) -> str:
    try:
        http: str = serving.http_choice(name)
    except serving.UnknownProtocol as exc:
        raise Refused(str(exc), 2) from exc
    except ImportError as exc:
        raise Refused(
            f"--http {name} needs a package that is not there ({exc}): pip install 'ferrapi[standard]'"
        ) from exc
    return http


def _limits(options: argparse.Namespace, http: str, serving: Any) -> dict[str, int]:
    """The limits that are given to ferrapi's protocol, which has to be the one that serves."""
    names = ("timeout_head", "timeout_body", "limit_head", "limit_body")
    limits = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if limits and http != serving.PROTOCOL:
        option = next(iter(limits)).replace("_", "-")
        raise Refused(f"--{option} is for ferrapi's own protocol: leave --http {options.http} out", 2)
    return limits


def _config(options: argparse.Namespace, place: Found, http: str, limits: dict[str, int], serving: Any) -> ServeConfig:
    with_health = options.drain_default if options.health is not None else 0
    drain_delay = with_health if options.drain_delay is None else options.drain_delay
    more: dict[str, Any] = {}
    if options.log_config is not None:
        more["log_config"] = options.log_config
    if options.limit_max_requests_jitter:
        more["limit_max_requests_jitter"] = options.limit_max_requests_jitter
    if options.uds is not None:
        more["uds"] = options.uds
    try:
        config: ServeConfig = serving.ServeConfig(
            place.import_string,
            gc_freeze=options.gc_freeze,
            health=options.health,
            drain_delay=drain_delay,
            limits=limits,
            host=options.host,
            port=options.port,
            root_path=options.root_path,
            reload=options.reload,
            reload_dirs=options.reload_dir,
            workers=options.workers,
            access_log=options.access_log,
            log_level=options.log_level,
            proxy_headers=options.proxy_headers,
            forwarded_allow_ips=options.forwarded_allow_ips,
            http=http,
            timeout_graceful_shutdown=options.timeout_graceful_shutdown,
            timeout_keep_alive=options.timeout_keep_alive,
            limit_concurrency=options.limit_concurrency,
            limit_max_requests=options.limit_max_requests,
            ssl_certfile=options.ssl_certfile,
            ssl_keyfile=options.ssl_keyfile,
            ssl_keyfile_password=options.ssl_keyfile_password,
            ssl_ca_certs=options.ssl_ca_certs,
            ssl_cert_reqs=_CERT_REQS[options.ssl_cert_reqs],
            **({"ssl_ciphers": options.ssl_ciphers} if options.ssl_ciphers else {}),
            **more,
        )
    except Exception as exc:
        if options.log_config is None:
            raise
        raise Refused(f"--log-config {options.log_config} is no configuration of logging: {exc}", 2) from exc
    return config


def _introduce(options: argparse.Namespace, place: Found, app: Any) -> None:
    """Say what is served, and where."""
    from .. import __version__
    from ..applications import FastAPI

    lines = [("application", f"{place.import_string} (from {place.folder})")]
    if options.verbose:
        lines += [("module", f"named by {place.module_from}"), ("name", f"named by {place.name_from}")]
        lines.append(("import", f"from {place.module} import {place.name}"))
    routes: list[str] = []
    if isinstance(app, FastAPI):
        from ._routes import short_list

        routes = short_list(app)
        lines.append(("routes", f"{len(routes)} (`ferrapi routes {place.import_string}` lists them)"))
    if options.uds is not None:
        lines.append(("server", options.uds))
    elif options.port:  # else the log says which one was free
        lines += _addresses(options, app if isinstance(app, FastAPI) else None)
    mode = "development" if options.command == "dev" else "production"
    print(f"ferrapi {__version__}, {mode} mode")
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        print(f"  {name:<{width}}  {value}")
    if options.command == "dev" and place.module_from == "auto-discovery":
        print(f'  To name it once, write into pyproject.toml: [tool.ferrapi] entrypoint = "{place.import_string}"')
    if options.verbose:
        print("\n".join(f"    {route}" for route in routes), end="\n" if routes else "")
    print()


def _addresses(options: argparse.Namespace, app: Any) -> list[tuple[str, str]]:
    """The server's address and that of the documentation, as a browser on this machine wants them."""
    scheme = "http" if options.ssl_certfile is None else "https"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(options.host, options.host)
    here = f"{scheme}://{f'[{host}]' if ':' in host else host}:{options.port}"
    everywhere = " (and at this machine's other addresses)" if host != options.host else ""
    docs_url = "/docs" if app is None else app.openapi_url and (app.docs_url or app.redoc_url)
    lines = [("server", here + everywhere)]
    if docs_url:
        lines.append(("documentation", here + docs_url))
    if options.health is not None:
        lines.append(("readiness", here + options.health))
    return lines
