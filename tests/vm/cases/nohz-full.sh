# A CPU without a tick is recorded like the others, and no reader moves to it.
# kernels: 6.12 6.1
# slow: yes
# cmdline: nohz_full=1
setup insmod /tests/nt_calls.ko
is "a CPU is without a tick" "$(cat /sys/devices/system/cpu/nohz_full)" 1

# a loop of system calls makes a reader fall behind
nestrace record -q -b 64 -l 'vfs_*' -l 'seq_*' -o t.dat taskset 2 sh -c 'echo armed > armed; while [ ! -e stop ]; do read -r x < /proc/loadavg; done' &
recorder=$!
setup within_a_minute test -e armed
sleep 3
grep -h Cpus_allowed_list /proc/$recorder/task/*/status > lists
touch stop
wait $recorder
note "$(sort lists | uniq -c | tr '\n' ' ')"
ok "no reader moves to the CPU without a tick" sh -c '! grep -q ":[[:space:]]*1$" lists'
setup nestrace report t.dat > r
ok "every hit is recorded, lost, recursed or filtered" adds_up r
ok "hits of the CPU without a tick are recorded" grep -qF '[001]' r

# The bell of a CPU is a timer of its tick.
nestrace record -q -b 256 -l nt_called -o t.dat sh -c 'sleep 2
	for i in $(seq 40); do echo task 1000 > /proc/nt_calls; usleep 10000; done'
setup nestrace report t.dat > r
is "hits after a quiet time: none is lost" "$(counter r total lost)" 0
