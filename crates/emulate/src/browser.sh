# Serves a WebDriver for a browser of its own until the end of the input, which comes with the end of the process at the
# other end of the pipe, however it ended. Then the browser goes as well, and its folder.
set -um
driver=$1
folder=$(mktemp -d /tmp/vestibule-browser.XXXXXX) || exit 1
export HOME="$folder" TMPDIR="$folder"
"$driver" --port=0 --log-level=SEVERE </dev/null &
group=$!
cat >/dev/null
kill -TERM -- "-$group" 2>/dev/null
wait "$group" 2>/dev/null
kill -KILL -- "-$group" 2>/dev/null
rm -rf "$folder"
