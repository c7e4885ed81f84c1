# nestrace assert decides claims about known calls: they hold, are violated, or are undecided.
# kernels: 6.1 6.12 debug-6.12
# slow: 6.1 debug-6.12
# cpus: 2
setup insmod /tests/nt_calls.ko
calls='echo "task 100 softirq 20 hardirq 10 nmi 5" > /proc/nt_calls'

# verdict STATUS WORD CLAIM...: test the exit status and the first word of the last line that is a claim
verdict_is()
{
	local status=$1 word=$2
	shift 2
	nestrace assert "$@" sh -c "$calls" > r 2> err
	got=$?
	is "$*: the exit status" $got "$status"
	is "$*: the verdict" "$(grep -m 1 -o -E "^(holds|VIOLATED|can't tell)" r)" "$word"
	grep -q . err && show < err
	[ $got = "$status" ] || show < r
}

verdict_is 0 holds --never 'nmi:vfs_open'
verdict_is 1 VIOLATED --never 'nmi:nt_called'
is "a violation: the calls are counted on both CPUs" "$(grep -o 'nt_called: .*' r)" "nt_called: 10 calls"
is "a violation: the first three calls are shown" "$(grep -c ': nmi nt_called <- ' r)" 3
ok "a violation: each has its stack" test "$(grep -c '^    => ' r)" -ge 6
verdict_is 1 VIOLATED --never 'nt_cal*'
is "without a context: all count" "$(grep -o 'nt_cal\*: .*' r)" "nt_cal*: 270 calls"
verdict_is 0 holds --always 'softirq:nt_called'
verdict_is 1 VIOLATED --always 'hardirq:vfs_open'
verdict_is 0 holds --max 'task:nt_called<201'
verdict_is 1 VIOLATED --max 'task:nt_called<200'
verdict_is 0 holds --max-time 'hardirq:nt_called<1s'
verdict_is 1 VIOLATED --max-time 'hardirq:nt_called<1ns'
ok "a call that takes too long is shown" grep -q ': hardirq nt_called took [0-9.]* us' r
nestrace assert --never 'nmi:nt_called' --always 'task:nt_called' -F sh -c "$calls" > r
is "-F: interrupts of the command's tasks count" $? 1

setup rmmod nt_calls
nestrace assert --never 'nmi::mod:nt_calls' --always 'task:nt_called:mod:nt_calls' sh -c "insmod /tests/nt_calls.ko; $calls" > r 2> err
got=$?
show < r
is "a module that comes later" "$got $(cut -c 1-10 r | grep -v '^ ' | tr '\n' ',')" "1 VIOLATED  ,holds     ,"

# undecided
nestrace assert --never 'task:nt_called' --max 'task:vfs_*<1000000000' -b 1 sh -c 'echo "task 20000" > /proc/nt_calls' > r
is "a violation is one however small the ring is" $? 1
nestrace assert --never 'task:vfs_llseek' --max 'task:nt_called<40000' -b 1 sh -c 'echo "task 40000" > /proc/nt_calls' > r
got=$?
show < r
is "lost hits: undecided" "$got $(grep -c "^can't tell .*hits were lost in that context; use a larger -b" r)" "3 2"
nestrace assert --never 'softirq:vfs_llseek' --max 'task:nt_called<1000000' -b 1 sh -c 'echo "task 40000" > /proc/nt_calls' > r
is "hits that were lost elsewhere, or are too few, do not matter" $? 0
nestrace assert --never 'task:vfs_llseek' -l nt_called true > r 2> err
is "-l: the claims say what is traced" $? 2

# files
nestrace record -q -o all.dat -b 65536 -l 'nt_*' -l 'vfs_*' sh -c "$calls"
nestrace assert --never 'nmi:nt_called' --always 'task:nt_called' --max 'any:nt_called<271' --never 'nmi:vfs_*' -i all.dat > r
is "a file: the verdicts" "$? $(grep -v '^ ' r | cut -c 1-10 | tr '\n' ',')" "1 VIOLATED  ,holds     ,holds     ,holds     ,"
nestrace assert --never 'tcp_*' -i all.dat > r
is "a file without these functions: undecided" "$? $(grep -c "^can't tell .*the recording left out [0-9]* of these functions, such as tcp_" r)" "3 1"
nestrace assert --max-time 'nt_called<1s' -i all.dat > r
is "a file without returns: undecided" "$? $(grep -c 'the file has no returns; record it with --ret' r)" "3 1"
nestrace record -q -o ret.dat --ret -l nt_called sh -c "$calls"
nestrace assert --max-time 'nt_called<1s' --max-time 'nt_called<1ns' -i ret.dat > r
is "a file with returns: the verdicts" "$? $(grep -v '^ ' r | cut -c 1-10 | tr '\n' ',')" "1 holds     ,VIOLATED  ,"
nestrace record -q -o if.dat -l vfs_read --if 'count > 4096' true
nestrace assert --never 'vfs_read' -i if.dat > r
is "a file with conditions: undecided" "$? $(grep -c 'the recording left out calls by --if' r)" "3 1"

nestrace assert --never 'nt_cald' -i all.dat > r
is "a file: a function that does not exist" "$? $(grep -c 'no function has this name' r)" "3 1"

nestrace record -q -F -o tasks.dat -l 'nt_*' sh -c "$calls"
nestrace assert --never 'vfs_open' --never 'nt_no_one' -i tasks.dat > r
is "a file with some tasks: undecided" "$? $(grep -c 'the recording has only some tasks or CPUs' r)" "3 1"
head -c 30000 all.dat > cut.dat
nestrace assert --never 'vfs_unlink' -i cut.dat > r 2> err
ok "a file that is cut short: nothing holds" test $? != 0
nestrace record -q -o stack.dat --stack sh -c "$calls"
nestrace assert --never unwind_next_frame -i stack.dat > r
is "a function that is not traced with stacks: undecided" "$? $(grep -c 'is not traced, because stacks are recorded' r)" "3 1"
echo nt_called > /sys/kernel/tracing/set_ftrace_filter
echo function > /sys/kernel/tracing/current_tracer
nestrace assert --never 'nmi:nt_called' true > r
is "a function that another user of ftrace traces: undecided" "$? $(grep -c 'ftrace may drop nested calls unseen' r)" "3 1"
echo nop > /sys/kernel/tracing/current_tracer
echo > /sys/kernel/tracing/set_ftrace_filter

# formats
nestrace assert --ktap --never 'nmi:nt_called' --always 'task:nt_called' -i all.dat > r
is "KTAP" "$? $(grep -v '^#' r | tr '\n' ',')" "1 KTAP version 1,1..2,not ok 1 never nmi:nt_called,ok 2 always task:nt_called,"
nestrace assert --json --never 'nmi:nt_called' -i all.dat > r
ok "JSON" grep -q '^{"kind":"never","claim":"nmi:nt_called","verdict":"violated","calls":10,"hits":\[{"ns":[0-9]*,"cpu":[01],' r

# wrong use
says "no claim" 2 "no claim; add --never" nestrace assert true
says "a function that cannot be traced" 125 "no function matches -l: 'nt_no_one_*'" nestrace assert --never 'nt_no_one_*' true
says "no limit" 2 "no limit: '--max nt_called'; add one, such as '<1000'" nestrace assert --max nt_called true
says "a limit that is no number" 2 "not a number of calls above 0: '--max nt_called<x'" nestrace assert --max 'nt_called<x' true
says "a limit that is no time" 2 "not a time from 1ns on: '--max-time nt_called<5'; use a number with ns, us, ms or s" nestrace assert --max-time 'nt_called<5' true
says "a limit for --never" 2 "a limit is for --max and --max-time" nestrace assert --never 'nt_called<5' true
says "-i with a COMMAND" 2 "only claims, --ktap and --json go with it" nestrace assert --never nt_called -i all.dat true
says "a COMMAND that fails" 0 "COMMAND has ended with status 3" nestrace assert --never 'nmi:nt_called' sh -c 'exit 3'
