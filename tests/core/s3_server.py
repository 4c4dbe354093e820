"""A server that speaks S3 (moto), in a process of its own, and fails when it is told to.

A PUT of JSON to /-/errors sets what fails from now on; a GET of /-/count says how many requests failed on purpose.
Errors come before the request is carried out or, for every second one, after it: then the work is done and the answer
lost, as on a real network. Run alone, it prints its port.
"""

import json
import random
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BODY = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code} on purpose</Message></Error>"
CODES = {403: "AccessDenied", 500: "InternalError", 503: "SlowDown"}


class Moody:
    def __init__(self, application):
        self.application = application
        self.rules, self.chance, self.failed = {}, random.Random(7), 0

    def __call__(self, environ, start_response):
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path.startswith("/-/"):
            if method == "PUT":
                self.rules = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
                self.failed = 0
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.failed).encode()]
        if not self.fails(method, path):
            return self.application(environ, start_response)
        self.failed += 1
        status = self.chance.choice(self.rules["codes"])
        if status >= 500 and self.failed % 2:
            for _ in self.application(environ, lambda *_: None):
                pass
        elif environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response(f"{status} on purpose", [("Content-Type", "application/xml")])
        return [BODY.format(code=CODES[status]).encode()]

    def fails(self, method, path):
        rules = self.rules
        if not rules or method not in rules.get("methods", [method]) or rules.get("part", "") not in path:
            return False
        if rules.get("spare", 0) > 0:
            rules["spare"] -= 1
            return False
        return self.chance.random() < rules.get("share", 1.0)


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, Moody(DomainDispatcherApplication(create_backend_app)), threaded=True)
    print(server.server_port, flush=True)
    sys.stderr = open("/dev/null", "w")  # noqa: SIM115
    server.serve_forever()
