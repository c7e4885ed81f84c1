# nestrace diff: functions and stacks that only one recording has, ratios, durations, and the flame graph.
# kernels: 6.12
# cpus: 1
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_return.ko
rec() # FILE OPTION... COMMAND
{
	local file=$1
	shift
	setup nestrace record -q -o $file -b 16384 "$@"
}
rec a.dat -l 'nt_*' sh -c 'echo "task 100 nmi 10" > /proc/nt_calls; echo "twice 50" > /proc/nt_return'
rec b.dat -l 'nt_*' sh -c 'echo "task 300 softirq 20" > /proc/nt_calls; echo "tail 50" > /proc/nt_return'
nestrace diff a.dat b.dat > r
is "diff succeeds" $? 0
show < r
ok "only in B: the function with its calls, its context and its callers" \
	sh -c "grep -A 5 '^functions only in B' r | grep -q '^ *50  task     nt_tail <- '"
ok "only in B: a context counts" sh -c "grep -A 5 '^functions only in B' r | grep -q '^ *20  softirq  nt_called <- '"
ok "only in A: the NMIs" sh -c "grep -A 5 '^functions only in A' r | grep -q '^ *10  nmi      nt_called <- '"
ok "not sure: the recordings were limited" grep -q "^# not sure: A was recorded with -l" r
nestrace diff --per nt_twice a.dat b.dat > r
show < r
ok "--per: calls for each call" grep -q "^ *3\.00 *100 *300  task     nt_called$" r
nestrace diff --limit 1 a.dat b.dat > r
ok "--limit: the rest is counted" grep -q "^# [0-9]* more; --limit 0 shows all" r

rec a.dat -l mutex_lock -F cat /proc/version
rec b.dat -l mutex_lock -F sh -c 'cat /proc/version; echo "twice 1" > /proc/nt_return'
nestrace diff --limit 0 a.dat b.dat > r
ok "stacks only in B: a new caller of a function of both" \
	sh -c "sed -n '/^stacks only in B/,/^stacks only in A/p' r | grep -q '^ *1  task mutex_lock <- helper_write'"

# all functions: what the second run calls and the first does not
rec a.dat -F true
rec b.dat -F -c sh -c 'echo "twice 50" > /proc/nt_return'
nestrace diff --limit 0 a.dat b.dat > r
ok "all functions: the one that was planted is found" grep -q "^ *50  task     nt_twice <- " r
ok "all functions: without losses, functions are sure" \
	sh -c 'grep -q "^# not sure" r || ! nestrace report a.dat | grep "^# total" | awk "{ exit \$5 + \$6 > 0 }" || true'
rec lost.dat -b 1 -F ls /sys/kernel
nestrace diff lost.dat b.dat > r
ok "losses in A: functions only in B are not sure" grep -q "^# not sure: A lost [0-9]* hits in task" r

# durations
rec a.dat --ret -l nt_sleep -l nt_twice sh -c 'for i in 1 2 3; do echo "sleep 20" > /proc/nt_return; done'
rec b.dat --ret -l nt_sleep -l nt_twice sh -c 'for i in 1 2 3; do echo "sleep 200" > /proc/nt_return; done'
nestrace diff a.dat b.dat > r
show < r
ok "durations: what takes longer is found" grep -qE "^ *[0-9.]+ +[0-9.]+ +[0-9.]+ +3  task     nt_sleep$" r
setup nestrace diff --svg -o d.svg a.dat b.dat
ok "--svg: a picture" grep -q '^<svg ' d.svg
says "one file" 2 "not two files: 'a.dat'; nestrace diff takes A and B" nestrace diff a.dat
says "--per: a function that was not called" 1 "no call of '--per nt_none' is in a.dat" nestrace diff --per nt_none a.dat b.dat
says "a file that is none" 1 "'/etc/passwd'" nestrace diff /etc/passwd b.dat
says "--limit: not a number" 2 "not a number of lines: '--limit x'" nestrace diff --limit x a.dat b.dat
