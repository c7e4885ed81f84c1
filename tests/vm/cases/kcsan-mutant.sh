# The same with one marked store made a plain one: KCSAN must report it. This shows that
# kcsan.sh can fail.
# kernels: kcsan-6.12
# build: race KCSAN RACE
# expect: race
# kernel: kcsan.skip_watch=2000 kcsan.udelay_task=5000 kcsan.udelay_interrupt=2000
insmod /tests/nt_calls.ko
# KCSAN looks at samples: until it has met it
rounds=0
until dmesg | grep -q 'data-race in .*nt_.*\[nestrace\]' || [ $rounds = 6 ]; do
	kcsan_record global
	rounds=$((rounds + 1))
done
note "rounds until it was reported, 6 at most: $rounds"
ok "unload" rmmod nestrace
