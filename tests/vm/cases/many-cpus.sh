# CPUs that are possible but not there are shown nowhere; one that is added is said to be untraced.
# Later kernels let no CPU be added on a machine that is emulated as a real one.
# kernels: 6.1
# slow: yes
# possible: 128
# programs: tmux
setup insmod /tests/nt_calls.ko
is "128 CPUs are possible" "$(cat /sys/devices/system/cpu/possible)" 0-127
setup nestrace record -q -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
trace-cmd report -i t.dat > out 2> err
is "trace-cmd report: there are 2 CPUs" "$(sed -n 's/^cpus=//p' out)" 2
ok "trace-cmd report: no CPU is empty" sh -c '! grep -qi "cpu .* is empty" out err'
is "trace-cmd report --stat: there are 2 CPUs" "$(trace-cmd report --stat -i t.dat | grep -c '^CPU: ')" 2
setup nestrace export --chrome -o t.json t.dat
ok "export --chrome: no CPU is shown but 0 and 1" sh -c '! grep -qE "CPU ([2-9]|[0-9][0-9])" t.json'
is "report: all hits are shown" "$(nestrace report t.dat | grep -c 'nt_called <-')" 200
export LANG=C.UTF-8
tmux -u new-session -d 'nestrace top -l "vfs_*"'
ok "top: it shows 2 CPUs" within_a_minute sh -c 'tmux capture-pane -p | grep -q ", 2 CPUs:"'
tmux send-keys q
setup within_a_minute sh -c "! tmux has-session 2> /dev/null"

# A CPU is added while a recording runs.
nestrace record -l nt_called -o t.dat 2> err & recorder=$!
until_running
# the terminal echoes what the monitor says, so that a command may arrive garbled
add_cpu()
{
	[ -e /sys/devices/system/cpu/cpu2 ] && return
	echo "device_add max-x86_64-cpu,id=added,socket-id=2,core-id=0,thread-id=0" > /dev/ttyS2
	return 1
}
setup within_a_minute add_cpu
echo 1 > /sys/devices/system/cpu/cpu2/online
echo "task 100" > /proc/nt_calls
kill $recorder
wait $recorder
ok "a CPU that was added is said to be untraced" grep -q "other CPUs than at the start: '0-2', not '0-1'" err
is "trace-cmd report: the file has the CPU" "$(trace-cmd report -i t.dat 2> /dev/null | sed -n 's/^cpus=//p')" 3
is "its hits are counted as filtered" "$(trace-cmd report --stat -i t.dat | awk '/^CPU: 2$/ { added = 1 } added && $1 == "0:task" { print $2, $6 }')" "100 100"
setup nestrace record -q -l nt_called -o t.dat sh -c 'echo "task 100" > /proc/nt_calls'
is "the next recording has the CPU" "$(nestrace report t.dat | grep -c '\[002\].*nt_called <-')" 100
