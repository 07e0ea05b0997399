"""A SCIM service on this machine: django-scim2-server with a database in memory.

It keeps neither displayName nor optional attributes of users. Usage: django_scim.py PORT LOG. Each request is a line of the log.
"""

import os
import pathlib
import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

urlpatterns = [path("scim/v2/", include("django_scim2_server.urls"))]


def check(request):
    return request.META.get("HTTP_AUTHORIZATION") == f"Bearer {os.environ['SCIM_TOKEN']}"


def main():
    port, log = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        APPEND_SLASH=False,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_scim2_server"],
        MIDDLEWARE=[],
        ROOT_URLCONF="__main__",
        SCIM2_SERVER_AUTH_CHECK="__main__.check",
        SECRET_KEY="a key for this process",
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)

    class Handler(WSGIRequestHandler):
        def log_request(self, code="-", size="-"):
            with log.open("a") as lines:
                print(self.command, self.path, code, file=lines)

    make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Handler).serve_forever()


if __name__ == "__main__":
    main()
