# Allocations that fail while a session is made: each failure leaves it whole.
# kernels: debug-6.12 kasan-6.12 debug-7.2
mount -t debugfs debugfs /sys/kernel/debug
for fault in failslab fail_page_alloc; do
	echo N > /sys/kernel/debug/$fault/ignore-gfp-wait
	echo 0 > /sys/kernel/debug/$fault/verbose
	echo 0 > /sys/kernel/debug/$fault/probability
done
echo 0 > /sys/kernel/debug/fail_page_alloc/min-order
fail_nth > out
relay out
is "all steps were taken" "$(grep -c "ok step" out)" 5
ok "unload" rmmod nestrace
