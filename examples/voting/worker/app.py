"""The worker: takes votes from the queue and writes them to the database."""

import json
import os
import time

import psycopg2
from redis import Redis
from redis.exceptions import RedisError


def open_database():
    database = psycopg2.connect(host="db", user="postgres", dbname="postgres",
                                password=os.environ["POSTGRES_PASSWORD"])
    database.autocommit = True
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS votes (voter text PRIMARY KEY, vote text NOT NULL)")
    return database


def work(queue, database):
    while True:
        entry = queue.blpop("votes", timeout=1)
        if entry is None:
            continue
        vote = json.loads(entry[1])
        with database.cursor() as cursor:
            cursor.execute("INSERT INTO votes VALUES (%s, %s) ON CONFLICT (voter) DO UPDATE SET vote = EXCLUDED.vote",
                           (vote["voter"], vote["vote"]))
        print("vote for", vote["vote"])


def main():
    while True:
        try:
            work(Redis(host="redis", socket_timeout=5), open_database())
        except (RedisError, psycopg2.Error) as error:
            print("waiting for queue and database:", error)
            time.sleep(0.5)


if __name__ == "__main__":
    main()
