# CPUs and modules come and go, and ftrace is switched off, while functions are traced.
# slow: 6.1 debug-6.12
# kernels: all
setup insmod /tests/nt_calls.ko
# identity NAME: test the accounting of all functions in the report r
identity()
{
	ok "$1: every hit is recorded, lost, recursed or filtered" adds_up r
	ok "$1: there are more than 10000 hits" test "$(counter r total hits)" -gt 10000
	is "$1: no hit recurses" "$(counter r total recursed)" 0
	row "$1"
}

# CPU 1 goes and comes, first with exactly known calls, then with all functions traced.
hotplug()
{
	for i in 1 2 3 4 5; do
		echo 0 > /sys/devices/system/cpu/cpu1/online
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
		echo 1 > /sys/devices/system/cpu/cpu1/online
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
	done
}
setup nestrace record -q -l nt_called -b 16384 -o t.dat sh -c "$(text_of hotplug); hotplug"
setup nestrace report t.dat > r
is "CPU hotplug, known calls: each call on an online CPU is recorded" "$(grep -c 'nt_called <-' r)" 12000
complete "CPU hotplug, known calls"
row "CPU hotplug, known calls" 12000
setup recorded r -b 4096 sh -c "$(text_of hotplug); hotplug"
identity "CPU hotplug, all functions"

modules()
{
	for i in 1 2 3 4 5 6 7 8 9 10; do
		rmmod nt_calls
		insmod /tests/nt_calls.ko
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
	done
}
setup recorded r -b 4096 sh -c "$(text_of modules); modules"
identity "modules come and go, all functions"

# A module that is loaded while a session without -l runs is traced too.
setup rmmod nt_calls
setup nestrace record -q -n '[a-m_]*' -n '[o-z]*' -n 'n[a-su-z_]*' -b 16384 -o t.dat sh -c 'insmod /tests/nt_calls.ko; echo "task 50" > /proc/nt_calls'
setup nestrace report t.dat > r
is "a module that is loaded during a recording: its calls are recorded" "$(grep -c 'nt_called <-' r)" 100

# ftrace_enabled=0 would silently stop every tracer, so the kernel does not allow it.
switch=
ftrace_has_switch && switch=y
setup nestrace record -q -l nt_called -b 16384 -o t.dat sh -c '
	echo "task 500" > /proc/nt_calls
	echo 0 > /proc/sys/kernel/ftrace_enabled && echo switched off
	echo "task 500" > /proc/nt_calls' > out 2> err
is "ftrace_enabled=0 fails while a session runs" "$(cat out)" ""
[ ! $switch ] || ok "ftrace_enabled=0 fails with EBUSY while a session runs" grep -q 'busy' err
setup nestrace report t.dat > r
is "ftrace_enabled=0: the session records the calls before and after it" "$(grep -c 'nt_called <-' r)" 2000
[ ! $switch ] || is "ftrace_enabled=0 succeeds once the session has ended" "$(echo 0 > /proc/sys/kernel/ftrace_enabled; cat /proc/sys/kernel/ftrace_enabled; echo 1 > /proc/sys/kernel/ftrace_enabled)" 0
ok "the module can be unloaded" rmmod nestrace
