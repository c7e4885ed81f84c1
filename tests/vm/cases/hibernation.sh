# All functions are traced while the machine hibernates and resumes, or suspends to RAM. The
# image is written to a RAM disk and read back by the same kernel (test_resume).
# kernels: 6.12 6.1 debug-6.12
# slow: 6.1 debug-6.12
# modules: brd
setup insmod /tests/modules/brd.ko rd_nr=1 rd_size=400000
[ -e /dev/ram0 ] || setup mknod /dev/ram0 b 1 0
setup mkswap /dev/ram0
setup swapon /dev/ram0
setup echo 0 > /sys/power/image_size
setup echo 1:0 > /sys/power/resume
setup echo test_resume > /sys/power/disk

hibernate='sleep 1; echo disk > /sys/power/state; echo $? > status; cat /proc/loadavg'

# A torn ring has records of zeros, counts that went below zero, and times that go back.
nestrace record -q --flight -b 1024 -o t.dat sh -c "$hibernate"
is "a flight recording succeeds" $? 0
is "a flight recording: the machine has hibernated" "$(cat status)" 0
setup nestrace report t.dat > r
ok "a flight recording: every hit is recorded, lost, recursed or filtered" adds_up r
is "a flight recording: no number instead of a function, no time that goes back, no impossible gap" "$(awk '
	/^#/ { next }
	/EVENTS DROPPED/ { gaps += length($1) > 20; next }
	(i = index($0, "] ")) && (cpu = substr($0, i - 4, 5)) ~ /^[[]/ {
		time = substr($0, i + 2) + 0
		backwards += time < last[cpu]
		last[cpu] = time
		numbers += $(NF - 2) ~ /^0x/
	}
	END { print numbers + 0, backwards + 0, gaps + 0 }' r)" "0 0 0"
ok "a flight recording: it goes on afterwards" grep -q ' loadavg_proc_show <- ' r
note "$(grep '^# total' r)"

nestrace stat -b 4096 -o r sh -c "$hibernate"
is "nestrace stat succeeds" $? 0
is "nestrace stat: the machine has hibernated" "$(cat status)" 0
ok "nestrace stat: every hit is recorded, lost, recursed or filtered" adds_up r
is "nestrace stat: no number instead of a function" "$(grep -c '^ *[0-9]* *0x' r)" 0
ok "nestrace stat: it goes on afterwards" grep -q ' loadavg_proc_show$' r
note "$(grep '^# total' r)"
