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

# adds_up FILE: is each hit of a report recorded, lost, refused or filtered?
adds_up()
{
	local hits recorded lost refused filtered
	hits=$(counter "$1" total 3) recorded=$(counter "$1" total 4) lost=$(counter "$1" total 5)
	refused=$(counter "$1" total 6) filtered=$(counter "$1" total 7)
	[ "$hits" = $((recorded + lost + refused + filtered)) ] ||
		{ note "hits $hits, recorded $recorded, lost $lost, refused $refused, filtered $filtered"; false; }
}

# row CONTEXT [CALLS [RECORDED]]: of the table in docs/proof.md, from the report r; where
# nothing says how many calls were made, they are the hits
row()
{
	note "row: $1 | ${2-$(counter r total 3)} | ${3-$(counter r total 4)} | $(counter r total 5) | $(counter r total 6) | $(counter r total 10)"
}

# relay FILE: the tests and notes of a program
relay()
{
	while read -r line; do
		case $line in
		"ok "*) ok "${line#ok }" true ;;
		"not ok "*) ok "${line#not ok }" false ;;
		"# "*) note "${line#\# }" ;;
		esac
	done < "$1"
}

# text_of FUNCTION: of the case, for a shell that is traced
text_of()
{
	sed -n "/^$1()/,/^}/p" /tests/script
}

# all_under_load ROUNDS: all functions traced for 22 s, and until the load has made so many rounds.
# It begins when they are armed and ends before they are disarmed: with a CPU that is never
# idle beside it, ftrace needs half a minute for either in emulation, and RCU calls that a stall.
all_under_load()
{
	mkdir load1 load2
	touch load1/rounds load2/rounds
	for dir in load1 load2; do
		{ until [ -e armed ]; do usleep 100000; done; load $dir; } &
	done
	nestrace stat -b 8192 -o r sh -c 'touch armed
		rounds() { cat load?/rounds | wc -l; }
		sleep 1; before=$(rounds); sleep 21
		until [ $(($(rounds) - before)) -ge '"$1"' ]; do sleep 1; done
		echo $(($(rounds) - before)) > during
		touch load1/stop load2/stop'
	is "all functions were traced for 22 s" $? 0
	touch armed load1/stop load2/stop
	wait
	note "rounds of the load while they were: $(cat during)"
	ok "under load" test "$(cat during)" -ge "$1"
	ok "hits are recorded, lost, refused or filtered" adds_up r
	ok "a million hits at least" test "$(counter r total 3)" -gt 1000000
	ok "refused recursions are under 0.01 % of hits" \
		test $(($(counter r total 6) * 10000)) -lt "$(counter r total 3)"
	for slot in task softirq hardirq; do
		ok "hits in $slot" test "$(counter r $slot 4)" -gt 0
	done
	grep '^#' r | while read -r line; do note "$line"; done
}

# within_a_minute COMMAND...: until COMMAND is true, and whether it became so
within_a_minute()
{
	local i
	for i in $(seq 600); do
		"$@" && return
		usleep 100000
	done
	false
}

# sessions TEXT: does status say that of the sessions?
sessions()
{
	nestrace status | grep -q "^sessions: .*$1"
}

# events_are TEXT: does status say that of the trace events?
events_are()
{
	nestrace status | grep -q "^trace events: $1"
}

# Can ftrace be switched off? From 7.3 on it can't.
ftrace_has_switch()
{
	(echo 0 > /proc/sys/kernel/ftrace_enabled) 2> /dev/null && echo 1 > /proc/sys/kernel/ftrace_enabled
}

# Until the session that was started in the background runs.
until_running()
{
	within_a_minute sessions "1 running"
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

# kcsan_record CLOCK [MODE]: writers and readers of rings on both CPUs, for KCSAN to look at
kcsan_record()
{
	nestrace record -q -l nt_called -l 'vfs_*' -C $1 $2 -b 256 -o t.dat sh -c '
		for i in 1 2; do
			echo "task 2000 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
			nestrace status > /dev/null
		done'
	is "clock $1${2:+, $2}: recorded" $? 0
	nestrace report t.dat | grep '^#' > r
	ok "all hits are accounted for" adds_up r
	ok "and there are some" test "$(counter r total 3)" -gt 8000
}
