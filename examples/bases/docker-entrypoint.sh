#!/bin/bash
# Starts PostgreSQL as the official image does: initializes the data directory on first use, with POSTGRES_PASSWORD
# (and POSTGRES_USER, POSTGRES_DB), then runs the server as the user postgres.
set -euo pipefail

data=${PGDATA:-/var/lib/postgresql/data}
bin=$(echo /usr/lib/postgresql/*/bin)
user=${POSTGRES_USER:-postgres}
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }

if [ "${1:-postgres}" != postgres ]; then
    exec "$@"
fi

mkdir -p "$data" /run/postgresql
chown -R postgres:postgres "$data" /run/postgresql
chmod 0700 "$data"

if [ ! -s "$data/PG_VERSION" ]; then
    : "${POSTGRES_PASSWORD:?must be set for a new database}"
    password=$(mktemp)
    printf '%s' "$POSTGRES_PASSWORD" > "$password"
    chown postgres "$password"
    as_postgres "$bin/initdb" --pgdata="$data" --username="$user" --auth-local=trust --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --pwfile="$password"
    rm "$password"
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    if [ -n "${POSTGRES_DB:-}" ] && [ "$POSTGRES_DB" != "$user" ]; then
        as_postgres "$bin/postgres" --single -D "$data" postgres <<< "CREATE DATABASE \"$POSTGRES_DB\""
    fi
fi

exec setpriv --reuid=postgres --regid=postgres --init-groups "$bin/postgres" -D "$data" -c listen_addresses='*'
