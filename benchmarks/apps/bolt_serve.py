"""Serves `bolt_app` as `manage.py runbolt` does: `python -m benchmarks.apps.bolt_serve app|middleware_app PORT`."""

import sys

import django
from django.conf import settings
from django.core.management import call_command

urlpatterns: list[object] = []


def main() -> None:
    """Serve what the first argument names on the port that is the second, in one process."""
    which, port = sys.argv[1:3]
    settings.configure(
        SECRET_KEY="for the benchmark alone",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django_bolt"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        BOLT_API=[f"benchmarks.apps.bolt_app:{which}"],
        BOLT_COMPRESSION=False,
        LOGGING={"version": 1, "loggers": {"django.server": {"level": "ERROR"}}},
    )
    django.setup()
    call_command("runbolt", host="127.0.0.1", port=int(port), processes=1, no_admin=True, skip_checks=True)


if __name__ == "__main__":
    main()
