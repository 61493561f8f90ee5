"""A page with a thought for the day and a count of its visits."""

import os
import random

from flask import Flask, render_template

app = Flask(__name__)

THOUGHTS = [
    "A container is a process with good manners.",
    "Whatever you build twice, build from a file.",
    "The fastest step is the one that is cached.",
    "Logs are letters to your future self.",
    "Name your volumes; they outlive you.",
]

COUNTER = os.path.join(os.environ.get("DATA_DIR", "/data"), "visits")


def count_visit():
    """The number of this visit, kept in a file of the volume."""
    try:
        with open(COUNTER) as counter:
            visits = int(counter.read())
    except (FileNotFoundError, ValueError):
        visits = 0
    visits += 1
    with open(COUNTER, "w") as counter:
        counter.write(str(visits))
    return visits


@app.route("/")
def index():
    return render_template("index.html", thought=random.choice(THOUGHTS), visits=count_visit())


@app.route("/health")
def health():
    return "ok\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", 5000)))
