# All functions are traced while the machine hibernates and resumes. The image is written to a RAM
# disk and read back by the same kernel (test_resume). suspend.sh has the other clocks.
# modules: brd
setup hibernation_to_ram_disk
hibernate='sleep 1; echo disk > /sys/power/state; echo $? > status; cat /proc/loadavg'

nestrace record -q --flight -b 1024 -o t.dat sh -c "$hibernate"
is "a flight recording succeeds" $? 0
is "a flight recording: the machine has hibernated" "$(cat status)" 0
not_torn "a flight recording"

nestrace stat -b 4096 -o r sh -c "$hibernate"
is "nestrace stat succeeds" $? 0
is "nestrace stat: the machine has hibernated" "$(cat status)" 0
ok "nestrace stat: every hit is recorded, lost, recursed or filtered" adds_up r
is "nestrace stat: no number instead of a function" "$(grep -c '^ *[0-9]* *0x' r)" 0
ok "nestrace stat: it goes on afterwards" grep -q ' loadavg_proc_show$' r
note "$(grep '^# total' r)"
