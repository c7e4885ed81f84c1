# The clock global is in order across CPUs and on the time line of the kernel's own, whether the
# TSC orders it or a lock; status and the file say which.
# kernels: 6.1 6.12 backports debug-6.12
# slow: debug-6.12 6.1

# in_turns NAME: test that the hits of turns in t.dat alternate between the CPUs
in_turns()
{
	setup nestrace report t.dat > r
	is "$1: hits of two CPUs that take turns: number, out of order" "$(turns_in r)" "2000 0"
}

# whole NAME ORDER WORD [SECONDS]: test a recording with clock global. Status and report must say ORDER,
# and the file WORD. The kernel's events are as close to its time line.
whole()
{
	ok "$1: status says what orders the clock" sh -c "nestrace status | grep -q '^clock global, order of the CPUs: by $2'"
	setup nestrace record -q -l '*_sys_getppid' -o t.dat turns 1000
	in_turns "$1"
	ok "$1: the report says what has ordered the clock" grep -q "^# clock: $2 has ordered the CPUs" r
	ok "$1: so does the file, for trace-cmd" sh -c "trace-cmd report --stat -i t.dat 2>/dev/null | grep -q '^clock_order: $3$'"
	record_exits sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do cat /proc/self/comm > /dev/null; done'
	# without a stable TSC the kernel keeps CPUs within a tick of each other
	on_one_line "$1" 10 "${4-0.00001}"
}

whole "trusted TSC" "the TSC" tsc
nestrace record -q -C tsc -l '*_sys_getppid' -o t.dat getppids 10
ok "-C tsc: the report does not speak of an order" sh -c '! nestrace report t.dat | grep -q "^# clock"'

# a CPU goes and comes back while it is traced
setup nestrace record -q -l '*_sys_getppid' -o t.dat sh -c 'echo 0 > /sys/devices/system/cpu/cpu1/online;
	getppids 10; echo 1 > /sys/devices/system/cpu/cpu1/online; turns 1000'
is "a CPU that was offline: all hits are there" "$(nestrace report t.dat | grep -cE ' (getppids|turns)-.*_getppid <- ')" 2010
in_turns "a CPU that was offline"

setup rmmod nestrace
ok "global=nonsense: the module does not load" sh -c '! insmod /tests/nestrace.ko global=nonsense 2>/dev/null'
ok "global=nonsense: the log names the parameter" sh -c 'dmesg | grep -q "unknown order: .global=nonsense"'
setup insmod /tests/nestrace.ko global=lock
whole "global=lock" "a lock" lock
ok "global=lock: status says that it was asked for" sh -c 'nestrace status | grep -q "by a lock, because global=lock is set; "'

# The kernel finds the TSC unstable while it is used.
setup rmmod nestrace
setup insmod /tests/nestrace.ko
setup nestrace record -q -l '*_sys_getppid' -o t.dat sh -c 'turns 500; insmod /tests/nt_unstable.ko; sleep 2; turns 500'
ok "a TSC that becomes unstable: the kernel says so" sh -c 'dmesg | grep -q "Marking TSC unstable"'
nestrace report t.dat > r
is "a TSC that becomes unstable: the recording goes on" "$(grep -c ' turns-.*_getppid <- ' r)" 2000
ok "a TSC that becomes unstable: the report says so" grep -q "^# clock: the kernel found the TSC unstable" r
ok "a TSC that becomes unstable: so does the file" sh -c "trace-cmd report --stat -i t.dat 2>/dev/null | grep -q '^clock_order: unstable-tsc$'"
whole "after that" "a lock" lock 0.01
