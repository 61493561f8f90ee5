"""The result page: counts the votes in the database."""

import os

import psycopg2
from flask import Flask, jsonify

app = Flask(__name__)


def count():
    database = psycopg2.connect(host="db", user="postgres", dbname="postgres",
                                password=os.environ["POSTGRES_PASSWORD"])
    try:
        with database.cursor() as cursor:
            cursor.execute("SELECT vote, count(*) FROM votes GROUP BY vote")
            return dict(cursor.fetchall())
    except psycopg2.errors.UndefinedTable:
        return {}
    finally:
        database.close()


@app.route("/")
def index():
    votes = count()
    return jsonify(a=votes.get("a", 0), b=votes.get("b", 0))


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=80)
