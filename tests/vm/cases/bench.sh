# nestrace bench measures, does not start while another tracer would disturb it, and leaves
# nothing behind.
# slow: 6.1
# kernels: 6.1 6.12 debug-7.2 backports
tracing=/sys/kernel/tracing
clean()
{
	is "$1: no instance is left" "$(ls -A $tracing/instances)" ""
	is "$1: no function is traced" "$(cat $tracing/enabled_functions)" ""
}

nestrace bench > out
is "nestrace bench succeeds" $? 0
show < out
for way in "empty callback" "nestrace, clock tsc" "nestrace, clock global" "nestrace, clock mono" \
	   "the function tracer"; do
	ok "nestrace bench prints the cost of $way" grep -q "^  $way  *-*[0-9.]*$" out
done
# On a busy machine a difference may come out below 0. It has no ratio.
if grep -qE '(tsc|global) +0\.0' out; then
	note "a cost is nearly 0: its ratio may be anything"
elif grep -qE '(tsc|global) +-' out; then
	ok "nestrace bench prints no ratio of a negative cost" sh -c '! grep -q "times as long" out'
else
	ok "nestrace bench prints the ratio" grep -q 'takes -*[0-9.]* times as long' out
fi
clean "nestrace bench has ended"

nestrace record -q -l vfs_read -o t.dat sleep 100 &
recorder=$!
until_running
says "nestrace bench while a session runs" 1 "another session of nestrace is running" nestrace bench
kill -INT $recorder
wait $recorder
setup echo function > $tracing/current_tracer
says "nestrace bench while the function tracer runs" 1 "a tracer is running, and its cost would be measured, too: 'function'" nestrace bench
echo nop > $tracing/current_tracer
says "nestrace bench with an argument" 2 "unexpected argument: 'now'" nestrace bench now
says "nestrace bench as another user" 1 "needs root" su nobody -c 'nestrace bench'

nestrace bench > /dev/null 2>&1 &
bench=$!
traces() { [ "$(cat $tracing/enabled_functions)" ]; }
setup within_a_minute traces
kill $bench
wait $bench
is "SIGTERM ends nestrace bench" $? 143
clean "nestrace bench was ended"
ok "the module can be unloaded" rmmod nestrace
