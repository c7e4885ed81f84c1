# What the scripts in the guest share: KTAP on stdout, everything else on the console.

tests=0
failures=0

# ok NAME COMMAND...: a test that passes if COMMAND does
ok()
{
	name=$1
	shift
	tests=$((tests + 1))
	if "$@" >&2; then
		echo "ok $tests $name"
	else
		failures=$((failures + 1))
		echo "not ok $tests $name"
		echo "# failed: $*"
	fi
}

# is NAME GOT WANTED
is()
{
	tests=$((tests + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tests $1"
	else
		failures=$((failures + 1))
		echo "not ok $tests $1"
		echo "# got '$2', want '$3'"
	fi
}

# says NAME STATUS TEXT COMMAND...: COMMAND fails with STATUS and TEXT on stderr
says()
{
	name=$1 want=$2 text=$3
	shift 3
	tests=$((tests + 1))
	got=0
	"$@" > /tmp/says.out 2> /tmp/says.err || got=$?
	if [ $got = "$want" ] && grep -qF -- "$text" /tmp/says.err; then
		echo "ok $tests $name"
	else
		failures=$((failures + 1))
		echo "not ok $tests $name"
		echo "# status $got, want $want with '$text'; it said: $(head -c 300 /tmp/says.err | tr '\n' ' ')"
	fi
}

# note TEXT...: shown by the harness
note()
{
	echo "# $*"
}

# The harness takes a run without this line for a failure.
verdict()
{
	echo "1..$tests"
	echo "# verdict: $((tests - failures)) passed, $failures failed"
}

# counter FILE SLOT COLUMN: a number of the accounting at the foot of a report;
# columns: 3 hits 4 recorded 5 lost 6 recursed 7 filtered 8 asleep 9 rcu-woken 10 nested
counter()
{
	awk -v slot="$2" -v col="$3" '$1 == "#" && $2 == slot { n = $col } END { print n + 0 }' "$1"
}

# Processes, files, timers and loopback network, until there is a file DIR/stop; each
# round adds a line to DIR/rounds.
load() # DIR
{
	until [ -e "$1/stop" ]; do
		dd if=/dev/zero of="$1/file" bs=64k count=16 2>/dev/null
		cat "$1/file" | md5sum > /dev/null
		rm -f "$1/file"
		echo >> "$1/rounds"
		find /proc/self /sys/kernel/mm > /dev/null 2>&1
		usleep 1000
		ping -c 1 -q 127.0.0.1 > /dev/null
		echo x | nc -w 1 127.0.0.1 7 > /dev/null 2>&1
		(:) | (:)
	done
}
