# A build of kcsan.sh in which one marked store is a plain one. KCSAN must report it, so
# kcsan.sh is able to fail.
# kernels: kcsan-6.12
# build: race KCSAN RACE
# expect: race
# cmdline: kcsan.skip_watch=2000 kcsan.udelay_task=5000 kcsan.udelay_interrupt=2000
setup insmod /tests/nt_calls.ko
# KCSAN takes samples. Repeat until it has seen the race.
rounds=0
until dmesg | grep -q 'data-race in .*nt_.*\[nestrace\]' || [ $rounds = 6 ]; do
	kcsan_record global
	rounds=$((rounds + 1))
done
note "rounds until KCSAN reported the race, at most 6: $rounds"
ok "the module can be unloaded" rmmod nestrace
