# CPUs, modules and the master switch of ftrace come and go while all is traced.
# slow: 6.1
# kernels: all
insmod /tests/nt_calls.ko
identity()
{
	ok "$1: each hit is accounted for" adds_up r
	ok "$1: and there are some" test "$(counter r total 3)" -gt 10000
	is "$1: refused" "$(counter r total 6)" 0
	row "$1"
}

# all functions, and those that are known exactly, while CPU 1 goes and comes
hotplug()
{
	for i in 1 2 3 4 5; do
		echo 0 > /sys/devices/system/cpu/cpu1/online
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
		echo 1 > /sys/devices/system/cpu/cpu1/online
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
	done
}
nestrace record -q -l nt_called -b 16384 -o t.dat sh -c "$(text_of hotplug); hotplug"
nestrace report t.dat > r
is "hotplug: all calls on those CPUs that are there are recorded" "$(grep -c 'nt_called <-' r)" 12000
is "hotplug: lost, refused" "$(counter r total 5) $(counter r total 6)" "0 0"
row "CPU hotplug, known calls" 12000
nestrace stat -b 4096 -o r sh -c "$(text_of hotplug); hotplug"
identity "CPU hotplug, all functions"

modules()
{
	for i in 1 2 3 4 5 6 7 8 9 10; do
		rmmod nt_calls
		insmod /tests/nt_calls.ko
		echo "task 500 softirq 100 hardirq 100 nmi 100" > /proc/nt_calls
	done
}
nestrace stat -b 4096 -o r sh -c "$(text_of modules); modules"
identity "modules come and go, all functions"

# functions that come while a session without a filter runs are traced too
rmmod nt_calls
nestrace record -q -n '[a-m_]*' -n '[o-z]*' -n 'n[a-su-z_]*' -b 16384 -o t.dat sh -c 'insmod /tests/nt_calls.ko; echo "task 50" > /proc/nt_calls'
nestrace report t.dat > r
is "a function that came while tracing is traced" "$(grep -c 'nt_called <-' r)" 100

# ftrace_enabled=0 would silence every tracer without a word; it is refused
switch=
ftrace_has_switch && switch=y
nestrace record -q -l nt_called -b 16384 -o t.dat sh -c '
	echo "task 500" > /proc/nt_calls
	echo 0 > /proc/sys/kernel/ftrace_enabled && echo switched off
	echo "task 500" > /proc/nt_calls' > out 2> err
is "ftrace_enabled=0 is refused while a session runs" "$(cat out)" ""
[ ! $switch ] || ok "with EBUSY" grep -q 'busy' err
nestrace report t.dat > r
is "and the session goes on" "$(grep -c 'nt_called <-' r)" 2000
[ ! $switch ] || is "afterwards it can be switched" "$(echo 0 > /proc/sys/kernel/ftrace_enabled; cat /proc/sys/kernel/ftrace_enabled; echo 1 > /proc/sys/kernel/ftrace_enabled)" 0
ok "unload" rmmod nestrace
