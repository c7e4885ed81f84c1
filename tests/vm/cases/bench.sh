# nestrace bench: it measures, refuses to measure others, and leaves nothing behind.
# kernels: 6.1 6.12 debug-7.2 backports
tracing=/sys/kernel/tracing
clean()
{
	is "$1: no instance is left" "$(ls -A $tracing/instances)" ""
	is "$1: nothing is traced" "$(cat $tracing/enabled_functions)" ""
}

nestrace bench > out
is "it ends well" $? 0
while read -r line; do note "$line"; done < out
for way in "empty callback" "nestrace, clock tsc" "nestrace, clock global" "nestrace, clock mono" \
	   "the function tracer"; do
	ok "it has a number for $way" grep -q "^  $way  *-*[0-9.]*$" out
done
# on a machine that does other work too a difference may come out below 0: of that there is none
if grep -qE '(tsc|global) +0\.0' out; then
	note "a cost of nearly nothing: the ratio is as it comes"
elif grep -qE '(tsc|global) +-' out; then
	ok "and no ratio of what is no number" sh -c '! grep -q "times as long" out'
else
	ok "and the ratio" grep -q 'takes -*[0-9.]* times as long' out
fi
clean "after it"

nestrace record -q -l vfs_read -o t.dat sleep 100 &
recorder=$!
until_running
says "while a session runs" 1 "another nestrace session is running" nestrace bench
kill -INT $recorder
wait $recorder
echo function > $tracing/current_tracer
says "while a tracer is at work" 1 "the tracer 'function' is at work" nestrace bench
echo nop > $tracing/current_tracer
says "an argument" 2 "it takes no argument" nestrace bench now
says "not root" 1 "needs root" su nobody -c 'nestrace bench'

nestrace bench > /dev/null 2>&1 &
bench=$!
until [ "$(cat $tracing/enabled_functions)" ]; do usleep 100000; done
kill $bench
wait $bench
is "terminated" $? 143
clean "after that"
ok "unload" rmmod nestrace
