# A session of all functions pauses while the machine hibernates, and traces again afterwards. The
# same kernel writes the image to a RAM disk and reads it back (test_resume). suspend.sh has the
# other clocks.
# modules: brd
# slow: yes
setup hibernation_to_ram_disk
# these functions run while the memory is copied
ok "the functions that copy the memory can be traced" sh -c 'nestrace list "swsusp_*" | grep -qx swsusp_save'
nestrace stat -l 'swsusp_*' -o copying nestrace record -q --flight -b 1024 -o t.dat sh -c '
	sleep 1; echo disk > /sys/power/state; echo $? > status; cat /proc/loadavg'
is "a flight recording succeeds" $? 0
is "a flight recording: the machine has hibernated" "$(cat status)" 0
not_torn "a flight recording"
is "nothing is traced while the memory is copied" "$(counter copying total hits)" 0
