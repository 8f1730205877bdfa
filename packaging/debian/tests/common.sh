# shellcheck shell=sh
# Common to the tests: a service gets its settings by a drop-in and is under load until some of its
# workers have left.

# preload SERVICE VARIABLE=VALUE...
preload() {
	directory=/etc/systemd/system/$1.service.d
	mkdir -p "$directory"
	shift
	{
		echo '[Service]'
		printf 'Environment=%s\n' LD_PRELOAD=libslshim.so.0 "$@"
	} >"$directory/slshim.conf"
	systemctl daemon-reload
}

# How many workers of a program have left, by the journal.
left() {
	journalctl --boot --output=cat | grep -c "$1\[[0-9]*\] leaves by " || true
}

# A thousand requests, each on a connection of its own; none may fail.
load() {
	ab -q -n 1000 -c 4 "$1" >ab.log
	if ! grep -q '^Complete requests: *1000$' ab.log || ! grep -q '^Failed requests: *0$' ab.log ||
		grep '^Non-2xx responses:' ab.log; then
		cat ab.log
		return 1
	fi
}

# expect_recycled PROGRAM URL: within 50,000 requests ten workers leave.
expect_recycled() {
	for round in $(seq 50); do
		load "$2"
		if [ "$(left "$1")" -ge 10 ]; then
			echo "$1: $(left "$1") left, 0 of ${round}000 requests failed"
			journalctl --boot --output=cat | grep "$1\[[0-9]*\] leaves by " | tail -n 1
			return
		fi
	done
	echo "$1: only $(left "$1") have left"
	journalctl --boot --output=cat | grep slshim: || true
	return 1
}
