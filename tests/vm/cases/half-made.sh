# Each allocation of each step of a session fails once. The session stays usable.
# kernels: debug-6.12 kasan-6.12 debug-7.2
# slow: yes
setup mount -t debugfs debugfs /sys/kernel/debug
for fault in failslab fail_page_alloc; do
	echo N > /sys/kernel/debug/$fault/ignore-gfp-wait
	echo 0 > /sys/kernel/debug/$fault/verbose
	echo 0 > /sys/kernel/debug/$fault/probability
done
echo 0 > /sys/kernel/debug/fail_page_alloc/min-order
fail_nth > out
relay out
is "the program fail_nth reports all 5 steps" "$(grep -c "ok step" out)" 5
ok "the module can be unloaded" rmmod nestrace
