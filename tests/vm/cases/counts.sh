# nestrace stat counts each call once, in its context, however many there are. A helper module
# makes each context on purpose and counts its calls.
# slow: 6.1/1 6.1/2 6.12/1 debug-6.12
# kernels: all
# cpus: 1 2
setup insmod /tests/nt_contexts.ko
setup insmod /tests/nt_calls.ko

# With RCU_EQS_DEBUG, only the idle task may let RCU stop watching.
not_watching="not_watching 300"
case $(zcat /proc/config.gz 2>/dev/null) in
*CONFIG_RCU_EQS_DEBUG=y*) not_watching= ;;
esac

# sums NAME: test that the table in r has each hit that was counted
sums()
{
	is "$1: the counts are the hits" "$(calls_in r)" "$(counter r total recorded)"
}

# ---- every context ----
# contexts NAME MAKERS: run MAKERS, and compare the counts with the helper's own
contexts()
{
	cat /proc/nt_contexts > before
	setup nestrace stat -l 'nt_at_*' -o r sh -c "echo '$2' > /proc/nt_contexts"
	awk 'NR == FNR { before[$1 " " $2] = $3; next }
	     $1 !~ /^(nt_switch|fixup)/ && $3 != before[$1 " " $2] { print $1, $2, $3 - before[$1 " " $2] }' \
		before /proc/nt_contexts | sort > made
	awk '/^ *[0-9]/ { print $3, $2, $1 }' r | sort > got
	ok "$1: the helper makes calls" test -s made
	is "$1: each function is counted in its context as often as it is called" "$(cat got)" "$(cat made)"
	complete "$1"
	sums "$1"
	row "counted: $1"
}
for maker in "task 10000" "softirq 200" "tasklet 20" "hardirq 300" "nmi 200" "bp 200" "db 200" \
	     "key 1000" ${not_watching:+"$not_watching"}; do
	contexts "${maker% *}" "$maker"
done
while :; do :; done &
busy=$!
while :; do
	echo nmi > /dev/ttyS2
	usleep 20000
done &
flood=$!
contexts "all at once" "task 20000 softirq 500 tasklet 20 hardirq 500 user 5 nmi 400 bp 300 db 300 key 1000 $not_watching"
kill $flood $busy

# ---- all functions, and a table that is too small ----
calls="task 20000 softirq 2000 hardirq 2000 nmi 1000"
work="echo '$calls' > /proc/nt_calls; ls -lR /proc/self /sys/class > /dev/null; echo '$calls' > /proc/nt_calls"
setup nestrace stat -o r sh -c "$work"
sums "all functions"
complete "all functions"
made=$(($(nproc) * 2 * 25000))
is "all functions: each call of the helper is counted" "$(calls_in r nt_called)" $made
ok "all functions: more than 500 are counted" test "$(grep -c '^ *[0-9]' r)" -gt 500
row "counted: all functions"
setup nestrace stat -b 4 -o r sh -c "$work"
sums "a table of 4 KiB"
ok "a table of 4 KiB: the reason is said" grep -q "^# lost: .* the table of counts was full" r
ok "a table of 4 KiB: hits are lost" test "$(counter r total lost)" -gt 0
ok "a table of 4 KiB: hits are counted" test "$(counter r total recorded)" -gt 1000
ok "a table of 4 KiB: it holds at most 256 entries on each CPU" test "$(grep -c '^ *[0-9]' r)" -le $((256 * $(nproc)))
row "counted: a small table"

# ---- filters by task, CPU and function ----
setup nestrace stat -l nt_called -F -o r sh -c 'echo "here 50" > /proc/nt_calls; echo "task 100" > /proc/nt_calls'
is "-F: the calls of COMMAND are counted" "$(calls_in r nt_called)" 50
is "-F: the calls of other tasks are filtered" "$(counter r total filtered)" $((100 * $(nproc)))
setup nestrace stat -l nt_called -F -c -o r sh -c 'sh -c "echo here 50 > /proc/nt_calls"; true'
is "-F -c: the calls of children are counted" "$(calls_in r nt_called)" 50
sleep 100 &
setup nestrace stat -l nt_called -P $! -o r sh -c 'echo "task 100" > /proc/nt_calls'
kill $!
is "-P: the calls of other tasks are filtered" "$(counter r total recorded) $(counter r total filtered)" "0 $((100 * $(nproc)))"
sh -c 'until [ -e go ]; do usleep 10000; done; echo "here 50" > /proc/nt_calls; echo "task 100" > /proc/nt_calls; touch went' &
setup nestrace stat -l nt_called -P $! -o r sh -c 'touch go; until [ -e went ]; do usleep 10000; done'
is "-P: the calls of that process are counted, those of other tasks are filtered" \
	"$(calls_in r nt_called) $(counter r total filtered)" "50 $((100 * $(nproc)))"
setup nestrace stat -l nt_called -M 1 -o r sh -c 'echo "task 100 nmi 100" > /proc/nt_calls'
is "-M: the calls on that CPU are counted" "$(counter r total recorded)" 200
is "-M: the calls on other CPUs are filtered" "$(counter r total filtered)" $((200 * ($(nproc) - 1)))
setup nestrace stat -l nt_called -n nt_called -l vfs_read -o r sh -c 'echo "task 100" > /proc/nt_calls; read x < /proc/uptime'
is "-n: what matches is not counted" "$(grep -c nt_called r) $(grep -c 'task *vfs_read' r)" "0 1"
setup nestrace stat -n :mod:nt_calls -o r sh -c 'echo "task 100" > /proc/nt_calls'
is "-n :mod: the module is not counted" "$(grep -c nt_called r)" 0
ok "-n :mod: its hits are filtered" test "$(counter r total filtered)" -ge $((100 * $(nproc)))
sums "-n :mod:"
if [ "$(nproc)" -gt 1 ]; then
	setup nestrace stat -l nt_called -o r sh -c 'for i in 1 2 3; do
		echo 0 > /sys/devices/system/cpu/cpu1/online; echo "task 500 nmi 100" > /proc/nt_calls
		echo 1 > /sys/devices/system/cpu/cpu1/online; echo "task 500 nmi 100" > /proc/nt_calls; done'
	is "CPU hotplug: each call is counted" "$(counter r total recorded)" 5400
	sums "CPU hotplug"
fi

# ---- one session counts while another records ----
nestrace stat -l nt_called -o other sleep 100 & other=$!
until_running
recorded r -l nt_called -b 16384 sh -c "echo '$calls' > /proc/nt_calls"
kill -INT $other
wait $other
is "beside a recording: each call is counted" "$(counter other total recorded)" $(($(nproc) * 25000))
is "beside a recording: each call is recorded" "$(counter r total recorded)" $(($(nproc) * 25000))
setup rmmod nt_contexts nt_calls
ok "the module can be unloaded" rmmod nestrace
