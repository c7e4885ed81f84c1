# All functions are traced with each clock while the machine suspends to RAM. The session pauses
# while it hibernates. The clock of the machine wakes it.
# kernels: 6.12 6.1
# slow: yes
# modules: brd
setup hibernation_to_ram_disk

alarm='echo 0 > /sys/class/rtc/rtc0/wakealarm; echo +5 > /sys/class/rtc/rtc0/wakealarm'
# 6.1 does not read back what it has written to a RAM disk
states="mem disk"
[ "$(uname -r | cut -d . -f 1,2)" != 6.1 ] || states=mem
for state in $states; do
	for clock in global tsc mono; do
		rm -f status
		nestrace record -q --flight -C $clock -b 1024 -o t.dat sh -c "
			sleep 1; $alarm; echo $state > /sys/power/state; echo \$? > status; cat /proc/loadavg"
		is "$state, $clock: the recording succeeds" $? 0
		is "$state, $clock: the machine has slept" "$(cat status)" 0
		not_torn "$state, $clock"
	done
done
# a suspend does not return from the functions that it has entered
rm -f status
nestrace record -q --ret --flight -b 1024 -o t.dat sh -c "sleep 1; $alarm; echo mem > /sys/power/state; echo \$? > status; cat /proc/loadavg"
is "mem, with returns: the recording succeeds" $? 0
is "mem, with returns: the machine has slept" "$(cat status)" 0
ok "mem, with returns: some are refused" sh -c 'nestrace report t.dat | grep -A9 "^# returns" | awk "\$2 == \"total\" && \$NF > 0 { found = 1 } END { exit !found }"'
# on the time line of the kernel's own, in a session that has seen a suspend and in a later one
record_exits sh -c "$alarm; echo mem > /sys/power/state; sleep 1; for i in 1 2 3; do cat /proc/loadavg; done"
on_one_line "a session with a suspend in it" 3
record_exits sh -c 'for i in 1 2 3; do cat /proc/loadavg; done'
on_one_line "a session after suspends" 3
note "$(dmesg | grep -c 'PM: suspend exit') suspends, $(dmesg | grep -c 'hibernation exit') hibernations"
