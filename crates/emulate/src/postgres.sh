# Makes a PostgreSQL cluster in a new folder, serves it, and takes orders on standard input, one a line. At the end of
# the input, which comes with the end of the process at the other end of the pipe, however it ended, everything goes.
set -u
umask 077
bin=$1
fsync=$2
folder=$(mktemp -d /tmp/vestibule-postgres.XXXXXX) || exit 1
server=

start() {
    "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync="$fsync" \
        -c full_page_writes="$fsync" -c max_connections=200 -c shared_buffers=64MB \
        </dev/null >>"$folder/log" 2>&1 &
    server=$!
    until "$bin/pg_isready" -q -h "$folder"; do
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.02
    done
}

stop() {
    kill -QUIT "$server" 2>/dev/null
    wait "$server" 2>/dev/null
}

fail() {
    cat "$folder/log" >&2
    rm -rf "$folder"
    exit 1
}

"$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --no-sync --no-instructions >"$folder/log" 2>&1 || fail
start || fail
echo "$folder"

while read -r order; do
    case $order in
    stop) stop ;;
    start) start || fail ;;
    esac
    echo "$order"
done

stop
rm -rf "$folder"
