# Recordings that go on from file to file: rotation, a full disk, kill -9, and flight recordings that begin again.
# kernels: 6.1 6.12
# slow: 6.1
# cpus: 2
# programs: trace-cmd
setup insmod /tests/nt_calls.ko
setup mkdir -p /run d
setup sh -c 'echo guest > /proc/sys/kernel/hostname'
setup cd d

# column FILE... NAME: the sum of a counter over the files
column()
{
	local file
	for file in $1; do
		nestrace report "$file" > r
		counter r total "$2"
	done | awk '{ n += $1 } END { print n + 0 }'
}

# by time
calls='i=0; while [ $i -lt 12 ]; do echo "task 100 softirq 20 nmi 10" > /proc/nt_calls; sleep 0.4; i=$((i + 1)); done'
nestrace record -q --rotate 1 -l nt_called -o 'time-%h.dat' --exec 'echo {} >> ../done' sh -c "$calls; exit 7" 2> err
is "--rotate: the status is the command's" $? 7
show < err
set -- time-*.dat
ok "--rotate: there are several files" test $# -ge 3
is "--rotate: their names have host and time" "$(ls time-* | grep -vcE '^time-guest-20[0-9]{6}-[0-9]{6}(-[0-9]+)?\.dat$')" 0
is "--rotate: all calls are there" "$(known_calls "$@")" 3120
is "--rotate: the counters add up to them" "$(column "$*" recorded)" 3120
is "--exec: it ran for each file" "$(sort ../done | tr '\n' ' ')" "$(ls time-* | tr '\n' ' ')"
is "--rotate: trace-cmd reads each" "$(for f; do trace-cmd report "$f" 2> /dev/null; done | grep -c nt_called)" 3120
ok "--rotate: the report says that it is a piece" sh -c "nestrace report $1 | grep -q '^# piece: '"
ok "--rotate: no counters are said not to add up" sh -c "! nestrace report $1 | grep -q 'do not add up'"
rm -f time-*

# by size; only the newest are kept, also those of an earlier recording
nestrace record -q --rotate 1M --keep 2 -b 8M -o size.dat sh -c 'ls -R /proc/sys /proc/tty > /dev/null; sleep 1' 2> err
is "--keep: the status" $? 0
show < err
is "--keep: two files are left" "$(ls size-*.dat | wc -l)" 2
ls size-*.dat > before
nestrace record -q --rotate 100 --keep 2 -l nt_called -o size.dat sh -c "$calls"
is "--keep: the oldest one of the recording before is gone" "$(ls size-*.dat | wc -l) $(ls size-*.dat | grep -cFf before)" "2 1"
rm -f size-*

# a disk of 16 MiB
setup mkdir /small
setup mount -t tmpfs -o size=16M none /small
nestrace record --rotate 3M -b 4M -o /small/full.dat sh -c "find /proc/sys /sys/kernel -type f > /dev/null; $calls" > out 2>&1
is "a full disk: the recording goes on" $? 0
tr '\r' '\n' < out | grep -v ' per second' > r
show < r
ok "a full disk: the oldest files were removed" grep -q 'the disk was full: [0-9]* old files were removed for room' r
ok "a full disk: what is left can be read" sh -c 'for f in /small/full-*.dat; do nestrace report $f | tail -n 1 | grep -q . || exit 1; done'
is "a full disk: no recording is left half made" "$(ls -d /small/*.nestrace 2> /dev/null)" ""
set -- /small/full-*.dat
ok "a full disk: the newest calls are there" test "$(known_calls "$@")" -gt 260
setup umount /small

# kill -9 at any time
for delay in 2 2.7 3.5; do
	rm -rf kill-*
	nestrace record -q --rotate 1 -l nt_called -o kill.dat &
	recorder=$!
	setup within_a_minute sessions "1 running"
	for i in 1 2 3 4 5 6 7 8; do
		echo "task 50" > /proc/nt_calls
		sleep 0.3
	done
	# let what was read be saved, which is slow in a guest
	sleep $delay
	kill -9 $recorder
	wait $recorder 2> /dev/null
	for partial in kill-*.nestrace; do
		nestrace restore -q "$partial" || note "$partial"
	done
	is "kill -9 after $delay s: all calls are there" "$(known_calls kill-*.dat)" 800
done
rm -rf kill-*

# three incidents, three files, and a last one
nestrace record -q --flight --keep 10 -l nt_called -l loadavg_proc_show --trigger loadavg_proc_show -o flight.dat 2> err &
recorder=$!
ok "--flight --keep: it can be found" within_a_minute test -e /run/nestrace/$recorder
for i in 1 2; do
	setup within_a_minute sessions "1 running"
	echo "task 10" > /proc/nt_calls
	cat /proc/loadavg > /dev/null
	within_a_minute sh -c "test \$(wc -l < /run/nestrace/$recorder) = $i"
done
setup within_a_minute sessions "1 running"
echo "task 10" > /proc/nt_calls
name=$(nestrace snapshot)
is "snapshot: it succeeds" $? 0
ok "snapshot: it prints the name of a file" test -s "$name"
is "snapshot: the file has the calls" "$(known_calls "$name")" 20
setup within_a_minute sessions "1 running"
echo "task 5" > /proc/nt_calls
kill -INT $recorder
wait $recorder
is "--flight --keep: Ctrl-C ends it" $? 0
show < err
set -- flight-*.dat
is "--flight --keep: there is a file for each incident, and the last" $# 4
is "--flight --keep: all calls are there" "$(known_calls "$@")" 70
is "--flight --keep: two files have the trigger" "$(for f; do nestrace report "$f"; done | grep -c 'loadavg_proc_show <- ')" 2
is "--flight --keep: the gaps before the others are reported" "$(for f; do nestrace report "$f"; done | grep -c '^# gap: nothing was recorded for [0-9.]* s, ')" 3
is "--flight --keep: every hit is accounted for" "$(($(column "$*" recorded) + $(column "$*" filtered)))" "$(column "$*" hits)"
is "it cannot be found any more" "$(ls /run/nestrace)" ""

says "snapshot of nothing" 1 "no flight recording goes on" nestrace snapshot
says "--rotate with --flight" 2 "--rotate is about recordings" nestrace record --flight --rotate 1
says "--keep alone" 2 "there is one file only" nestrace record --keep 3 true
says "a size that is too small" 2 "not a size from 1024 KiB" nestrace record --rotate 1K true
says "no size" 2 "not a size from 1024 KiB" nestrace record --rotate soon true
says "a wrong part of a name" 1 "no such part of a name: '%x'" nestrace record --rotate 5 -o 'a-%x.dat'
