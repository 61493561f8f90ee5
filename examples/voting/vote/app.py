"""The front end: takes votes and puts them into the queue."""

import json
import os
import uuid

from flask import Flask, make_response, request
from redis import Redis

app = Flask(__name__)
queue = Redis(host="redis", socket_timeout=5)

OPTIONS = {"a": os.environ.get("OPTION_A", "Cats"), "b": os.environ.get("OPTION_B", "Dogs")}

PAGE = """<!DOCTYPE html>
<title>{a} or {b}?</title>
<form method="post">
  <button name="vote" value="a">{a}</button>
  <button name="vote" value="b">{b}</button>
</form>
<p>{message}</p>
"""


@app.route("/", methods=["GET", "POST"])
def index():
    voter = request.cookies.get("voter") or uuid.uuid4().hex
    message = ""
    if request.method == "POST":
        vote = request.form.get("vote")
        if vote not in OPTIONS:
            return "there is no such choice\n", 400
        queue.rpush("votes", json.dumps({"voter": voter, "vote": vote}))
        message = "You voted for " + OPTIONS[vote]
    response = make_response(PAGE.format(message=message, **OPTIONS))
    response.set_cookie("voter", voter)
    return response


@app.route("/health")
def health():
    queue.ping()
    return "ok\n"


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=80)
