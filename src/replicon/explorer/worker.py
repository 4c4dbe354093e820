"""The process that simulates for a session: reads one request a line, answers one result a line, both JSON.

Run as ``python -m replicon.explorer.worker``. It ends when its input does, whatever it is computing.
"""

import json
import os
import sys
import threading
from typing import Any, TextIO


def main() -> None:
    """Answer requests until the input ends."""
    requests, answers = _take_streams()
    queue: list[str] = []
    ready = threading.Condition()

    def listen() -> None:
        for line in requests:
            with ready:
                queue.append(line)
                ready.notify()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        with ready:
            ready.wait_for(lambda: queue)
            line = queue.pop(0)
        answer(json.loads(line), answers)


def answer(request: dict[str, Any], answers: TextIO) -> None:
    """Measure the draws of one request and write what came of them."""

    def say(**content: Any) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        from replicon.core import catalog, monitor
        from replicon.core.realization import realize

        system = catalog.Entry("", request["target"], "").load().make(**request["values"])
        done = [0.0]

        def listener(fraction: float, partial: Any) -> None:
            if fraction - done[0] >= 0.02 or fraction < done[0]:
                done[0] = fraction
                say(fraction=fraction)

        with monitor.listen(listener):
            draws = realize(system, request["size"], request["indices"], seed=request["seed"])
    except Exception as error:
        # whatever a third party's system raises must reach the page as a message
        say(error=f"{type(error).__name__}: {error}")
        return
    values = [
        {name: column[k].tolist() for name, column in draws.values.items()} for k in range(len(request["indices"]))
    ]
    say(values=values, failed={str(k): text for k, text in draws.errors.items()})


def _take_streams() -> tuple[TextIO, TextIO]:
    """The input and output of the protocol; what a system prints goes to the error output."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    return requests, answers


if __name__ == "__main__":
    main()
    sys.exit(0)
