# Functions that every case in the guest has. KTAP goes to stdout, all else to the console.

tests=0
failures=0
# KTAP has its own descriptor, so that a test may fail where stdout is redirected.
exec 9>&1

# result ok|"not ok" NAME
result()
{
	tests=$((tests + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $tests $2" >&9
}

# note TEXT...: show a remark in the harness.
note()
{
	echo "# $*" >&9
}

# ok NAME COMMAND...: pass if COMMAND succeeds.
ok()
{
	local test="$1"
	shift
	if "$@" >&2; then
		result ok "$test"
	else
		result "not ok" "$test"
		note "failed: $*"
	fi
}

# is NAME GOT WANTED: pass if GOT is WANTED.
is()
{
	if [ "$2" = "$3" ]; then
		result ok "$1"
	else
		result "not ok" "$1"
		note "got '$2', want '$3'"
	fi
}

# says NAME STATUS TEXT COMMAND...: pass if COMMAND fails with STATUS and has TEXT on stderr.
says()
{
	local test="$1" want="$2" text="$3" got=0
	shift 3
	"$@" > /tmp/says.out 2> /tmp/says.err || got=$?
	if [ $got = "$want" ] && grep -qF -- "$text" /tmp/says.err; then
		result ok "$test"
	else
		result "not ok" "$test"
		note "status $got, want $want with '$text'; stderr: $(head -c 300 /tmp/says.err | tr '\n' ' ')"
	fi
}

# verdict: end the KTAP. The harness fails a run that does not print this.
verdict()
{
	echo "1..$tests" >&9
	echo "# verdict: $((tests - failures)) passed, $failures failed" >&9
	exec 9>&-
}

# abandon WHY: fail the case and end it at once, from any subshell.
abandon()
{
	result "not ok" "set-up: $1"
	verdict
	# the serial line still sends
	sleep 2
	sync
	leave
}

# leave: end the guest.
leave()
{
	if grep -qw ends=quit /proc/cmdline; then
		echo quit > /dev/ttyS2
		sleep 60
	fi
	# a kernel without ACPI cannot switch the power off
	reboot -f
}

# setup COMMAND...: run what the tests below rely on. If it fails, the case ends.
setup()
{
	"$@" || abandon "$* (status $?)"
}

# counter FILE CONTEXT NAME: print a number of the accounting table in FILE. NAME is a
# column of the table's header. A context without a row had no hits. The case ends if the
# table, the column or the context does not exist.
counter()
{
	awk -v context="$2" -v name="$3" '
		$1 == "#" && $2 == "context" {
			column = 0
			for (i = 3; i <= NF; i++)
				if ($i == name)
					column = i
			next
		}
		$1 == "#" && $2 == "returns" { exit }
		column && $1 == "#" && $2 == context {
			n = $column
			found = 1
		}
		END {
			if (context ~ /^(task|softirq|hardirq|nmi|df|db|mce|vc|vc2)$/ && !found)
				n = 0
			if (!column || n !~ /^[0-9]+$/)
				exit 1
			print n
		}' "$1" || abandon "no counter '$3' of '$2' in $1"
}

# adds_up FILE: succeed if each hit is recorded, lost, recursed or filtered.
adds_up()
{
	local hits recorded lost recursed filtered
	hits=$(counter "$1" total hits)
	recorded=$(counter "$1" total recorded)
	lost=$(counter "$1" total lost)
	recursed=$(counter "$1" total recursed)
	filtered=$(counter "$1" total filtered)
	[ "$hits" = $((recorded + lost + recursed + filtered)) ] ||
		{ note "hits $hits, recorded $recorded, lost $lost, recursed $recursed, filtered $filtered"; false; }
}

# recorded OUT [OPTION...] COMMAND...: record, and write what nestrace stat shows of it to OUT
recorded()
{
	local out="$1"
	shift
	nestrace record -q -o recorded.dat "$@" && nestrace stat -i recorded.dat -o "$out" &&
		rm recorded.dat
}

# calls_in FILE [FUNCTION]: print the calls in a table of nestrace stat, of all functions or one
calls_in()
{
	awk -v name="${2-}" '/^ *[0-9]/ && (name == "" || $3 == name) { n += $1 } END { print n + 0 }' "$1"
}

# complete NAME: test that the report r has no lost and no recursed hit.
complete()
{
	is "$1: no hit is lost" "$(counter r total lost)" 0
	is "$1: no hit recurses" "$(counter r total recursed)" 0
}

# turns_in FILE: print the number of hits that the program turns made on its two CPUs, and of those out of order
turns_in()
{
	awk '/ turns-.*_getppid <- / {
		n++
		cpu = substr($0, index($0, "] ") - 3, 3)
		wrong += cpu == last
		last = cpu
	} END { print n + 0, wrong + 0 }' "$1"
}

# row NAME [CALLS [RECORDED]]: print a row of the table in docs/proof.md, from the report r.
# The default of CALLS is the number of hits.
row()
{
	note "row: $1 | ${2-$(counter r total hits)} | ${3-$(counter r total recorded)} | $(counter r total lost) | $(counter r total recursed) | $(counter r total in-tracer)"
}

# relay FILE: report the tests and notes that a program has printed.
relay()
{
	while read -r line; do
		case $line in
		"ok "*) result ok "${line#ok }" ;;
		"not ok "*) result "not ok" "${line#not ok }" ;;
		"# "*) note "${line#\# }" ;;
		esac
	done < "$1"
}

# show: print stdin as notes.
show()
{
	while IFS= read -r line; do note "$line"; done
}

# text_of FUNCTION: print a function of the case, for a shell that is traced.
text_of()
{
	sed -n "/^$1()/,/^}/p" /tests/script
}

# under_load ROUNDS COMMAND...: run COMMAND, which traces all functions while a shell runs, for 22 s
# and until the load has made ROUNDS. The load begins once they are armed and ends before they are
# disarmed. In emulation, ftrace needs half a minute for either if a CPU beside it is never idle,
# and RCU reports a stall.
under_load()
{
	local wanted=$1
	shift
	mkdir load1 load2
	touch load1/rounds load2/rounds
	for dir in load1 load2; do
		{ until [ -e armed ]; do usleep 100000; done; load $dir; } &
	done
	"$@" sh -c 'touch armed
		rounds() { cat load?/rounds | wc -l; }
		sleep 1; before=$(rounds); sleep 21
		until [ $(($(rounds) - before)) -ge '"$wanted"' ]; do sleep 1; done
		echo $(($(rounds) - before)) > during
		touch load1/stop load2/stop'
	is "nestrace $2 traces all functions for 22 s" $? 0
	touch armed load1/stop load2/stop
	wait
	note "rounds of the load meanwhile: $(cat during)"
	ok "the load makes $wanted rounds meanwhile" test "$(cat during)" -ge "$wanted"
}

# all_under_load ROUNDS: count all functions under load.
all_under_load()
{
	under_load "$1" nestrace stat -b 8192 -o r
	ok "all functions: every hit is recorded, lost, recursed or filtered" adds_up r
	ok "all functions: there are more than a million hits" \
		test "$(counter r total hits)" -gt 1000000
	ok "all functions: less than 0.01 % of the hits recurse" \
		test $(($(counter r total recursed) * 10000)) -lt "$(counter r total hits)"
	for context in task softirq hardirq; do
		ok "all functions: hits in $context are recorded" \
			test "$(counter r $context recorded)" -gt 0
	done
	grep '^#' r | show
}

# returns FILE CONTEXT NAME: print a number of the table of returns in FILE
returns()
{
	awk -v context="$2" -v name="$3" '
		$1 == "#" && $2 == "returns" { for (i = 3; i <= NF; i++) if ($i == name) column = i }
		column && $1 == "#" && $2 == context { n = $column }
		END { if (!column) exit 1; print n + 0 }' "$1" || abandon "no returns '$3' in $1"
}

# balanced NAME: test the accounting of the report r
balanced()
{
	ok "$1: the counters add up" sh -c '! grep "do not add up" r'
	is "$1: each call has returned, or is inside" \
		"$(returns r total calls)" $(($(returns r total returned) + $(returns r total inside)))
}

# within_a_minute COMMAND...: wait until COMMAND succeeds; fail after a minute.
within_a_minute()
{
	local i
	for i in $(seq 600); do
		"$@" && return
		usleep 100000
	done
	false
}

# gone PID: succeed if this child has ended.
gone()
{
	! kill -0 "$1" 2> /dev/null
}

# sessions TEXT: succeed if status says TEXT about the sessions.
sessions()
{
	nestrace status | grep -q "^sessions: .*$1"
}

# Succeed if nestrace status, or the file $1 with its output, says that the trace events trace
# functions.
events_armed()
{
	nestrace status > status.now
	grep -q "^trace events: .*; enabled\$" "${1-status.now}"
}

# Succeed if it says that they trace none.
events_not_armed()
{
	nestrace status > status.now
	grep -qE "^trace events: (nothing is traced|.*; no event is enabled\$)" "${1-status.now}"
}

# Succeed if ftrace can be switched off. From 7.3 on it cannot.
ftrace_has_switch()
{
	(echo 0 > /proc/sys/kernel/ftrace_enabled) 2> /dev/null && echo 1 > /proc/sys/kernel/ftrace_enabled
}

# Wait until the session that was started in the background runs.
until_running()
{
	setup within_a_minute sessions "1 running"
}

# known_calls FILE...: print how many calls of nt_calls these files have
known_calls()
{
	local file
	for file; do
		nestrace report "$file" | grep -c ': [a-z]* *nt_called <- '
	done | awk '{ n += $1 } END { print n + 0 }'
}

# load DIR: use processes, files, timers and the loopback network until the file DIR/stop
# exists. Each round adds a line to DIR/rounds.
load()
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

# kcsan_record CLOCK [MODE]: let rings be written and read on both CPUs, for KCSAN to see.
kcsan_record()
{
	nestrace record -q -l nt_called -l 'vfs_*' -C $1 $2 -b 256 -o t.dat sh -c '
		for i in 1 2; do
			echo "task 2000 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
			nestrace status > /dev/null
		done'
	is "clock $1${2:+, $2}: nestrace record succeeds" $? 0
	nestrace report t.dat | grep '^#' > r
	ok "clock $1${2:+, $2}: every hit is recorded, lost, recursed or filtered" adds_up r
	ok "clock $1${2:+, $2}: there are more than 8000 hits" \
		test "$(counter r total hits)" -gt 8000
}

# Reset what trace-cmd has set. Its own reset clears the filter before it sets the tracer nop, so that
# it arms and disarms all functions, which takes 6 s here.
reset_tracing()
{
	local dir tracing=/sys/kernel/tracing
	for dir in $tracing $tracing/instances/*; do
		[ -e $dir/current_tracer ] || continue
		echo nop > $dir/current_tracer
		echo > $dir/set_ftrace_filter
		[ -z "$(cat $dir/set_event)" ] || echo > $dir/set_event
		echo > $dir/trace
		echo local > $dir/trace_clock
		echo 1 > $dir/tracing_on
		[ $dir = $tracing ] || rmdir $dir
	done
	echo 0 > $tracing/options/func_stack_trace 2> /dev/null
}

# by_trace_cmd OPTION... COMMAND: record t.dat. With -k trace-cmd does not reset at the end.
by_trace_cmd()
{
	trace-cmd record -q -k -o t.dat "$@" > log 2>&1 || note "trace-cmd record: $(tail -n 1 log)"
	reset_tracing
}

# same_events NAME LEAST FILE...: test that nestrace report shows the events that libtracecmd
# reads, of which there are LEAST: the same times, tasks, contexts, texts and gaps. tests/vm/oracle
# prints what libtracecmd reads as nestrace report would.
same_events()
{
	local name="$1" least="$2" raw= cpu
	shift 2
	nestrace report -t "$@" > ours.all 2> err
	is "$name: nestrace report succeeds" $? 0
	is "$name: nestrace report says nothing on standard error" "$(cat err)" ""
	# some clocks have no seconds
	! grep -q '\[0[0-9]*\]  *[0-9]*: ' ours.all || raw=RAW_TIMES=1
	env $raw oracle "$@" > theirs.all 2> /dev/null
	grep -v '^#' ours.all > ours
	sort ours > ours.sorted
	sort theirs.all > theirs.sorted
	ok "$name: there are events to compare" test "$(grep -c '\[0[0-9]*\] ' theirs.all)" -ge "$least"
	ok "$name: the events are the same, one by one" cmp theirs.sorted ours.sorted
	cmp -s theirs.sorted ours.sorted || diff theirs.sorted ours.sorted | head -6 | show
	for cpu in 000 001; do
		grep -F "[$cpu]" ours > ours.cpu
		grep -F "[$cpu]" theirs.all > theirs.cpu
		ok "$name: the events of CPU $cpu are in the same order" cmp theirs.cpu ours.cpu
	done
	[ $# = 1 ] || return 0
	is "$name: stat -i counts as many hits" \
		"$(nestrace stat -i "$1" 2> /dev/null | awk '$1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }')" \
		"$(grep -c ' <- ' theirs.all)"
}

# Prepare a RAM disk: echo disk > /sys/power/state hibernates to it and resumes at once.
hibernation_to_ram_disk()
{
	insmod /tests/modules/brd.ko rd_nr=1 rd_size=400000 &&
	{ [ -e /dev/ram0 ] || mknod /dev/ram0 b 1 0; } &&
	mkswap /dev/ram0 && swapon /dev/ram0 &&
	echo 0 > /sys/power/image_size &&
	echo 1:0 > /sys/power/resume &&
	echo test_resume > /sys/power/disk
}

# not_torn NAME: test that t.dat has no records of zeros, no count that went below zero and no time
# that goes back, and that it has the call of loadavg_proc_show that follows.
not_torn()
{
	setup nestrace report t.dat > r
	ok "$1: every hit is recorded, lost, recursed or filtered" adds_up r
	is "$1: no number instead of a function, no time that goes back, no impossible gap" "$(awk '
		/^#/ { next }
		/EVENTS DROPPED/ { gaps += length($1) > 20; next }
		(i = index($0, "] ")) && (cpu = substr($0, i - 4, 5)) ~ /^[[]/ {
			time = substr($0, i + 2) + 0
			backwards += time < last[cpu]
			last[cpu] = time
			numbers += $(NF - 2) ~ /^0x/
		}
		END { print numbers + 0, backwards + 0, gaps + 0 }' r)" "0 0 0"
	ok "$1: it goes on afterwards" grep -q ' loadavg_proc_show <- ' r
	note "$1: $(grep '^# total' r)"
}

# record_exits COMMAND...: record functions of do_exit(), and the kernel's event in there, into e.dat
record_exits()
{
	setup nestrace record -q -l do_exit -l exit_files -e sched:sched_process_exit -o e.dat "$@"
}

# on_one_line NAME TASKS [SECONDS]: test that in e.dat the time of this event is between those of the
# functions that are called before and after it, or as close to that, in that many tasks at least
on_one_line()
{
	nestrace report e.dat | awk -v slack="${3-0.00001}" '
		match($0, /-[0-9]+ +\[/) {
			pid = substr($0, RSTART + 1, RLENGTH - 2) + 0
			time = substr($0, index($0, "] ") + 2) + 0
		}
		/ do_exit <- / { before[pid] = time }
		/ sched_process_exit: / { at[pid] = time; events++ }
		/ exit_files <- / { after[pid] = time }
		END {
			for (pid in at)
				good += pid in before && pid in after && at[pid] >= before[pid] - slack &&
					at[pid] <= after[pid] + slack
			print good + 0, events + 0
		}' > order
	read -r good events < order
	ok "$1: the kernel's events are between the hits that they belong to: $good of $events" \
		test "$good" -ge "$2" -a "$good" = "$events"
}

# record_all SIGNAL...: a recorder for each, all at a time; then 100 calls in two tasks
record_all()
{
	for signal; do
		nestrace record -q -b 16 -l nt_called -o $signal.dat & eval "recorder_$signal=$!"
	done
	setup within_a_minute sessions "$# running"
	echo "task 100" > /proc/nt_calls
}

signal_hits() # SIGNAL
{
	nestrace report "$1.dat" | grep -c 'nt_called <-'
}

# ended HITS SIGNAL...: wait for all, and print the ones that did not end well with all hits
ended()
{
	expected=$1
	shift
	for signal; do
		eval "wait \$recorder_$signal"
		status=$?
		[ $status = 0 ] && [ "$(signal_hits $signal)" = $expected ] && [ ! -e $signal.dat.nestrace ] ||
			echo "$signal: status $status, $(signal_hits $signal) hits"
		rm -f $signal.dat
	done
}

# signals_end SIGNAL...: test that each ends a recording well
signals_end()
{
	record_all "$@"
	for signal; do
		eval "kill -$signal \$recorder_$signal"
	done
	ended 200 "$@" > bad
	is "signals that would kill end a recording, with all hits in the file: $*" "$(cat bad)" ""
}

# signals_pass NAME SIGNAL...: test that none ends a recording
signals_pass()
{
	local name=$1
	shift
	record_all "$@"
	for signal; do
		eval "kill -$signal \$recorder_$signal"
	done
	sleep 1
	echo "task 100" > /proc/nt_calls
	for signal; do
		eval "kill \$recorder_$signal"
	done
	ended 400 "$@" > bad
	is "$name do not end a recording" "$(cat bad)" ""
}
