# nestrace record --stack records the callers of each hit, as the kernel's own unwinder finds them, in
# every context and in a buffer of any size.
# kernels: all
# slow: 6.1 debug-6.12 kasan-6.12 kcsan-6.12 debug-7.2 backports 6.1-rt 6.12-rt 6.1-cloud 6.12-cloud
tracing=/sys/kernel/tracing
setup insmod /tests/nt_calls.ko
all='echo "task 300 softirq 50 hardirq 50 nmi 20" > /proc/nt_calls'

# stacks FILE: print each stack in a report of ours as a line
stacks()
{
	awk '
		function put() { if (line != "") print line; line = "" }
		$1 != "=>" { put(); next }
		{ line = line " " $2 }
		END { put() }' "$1"
}

# balanced NAME: test the accounting of the report r
balanced()
{
	ok "$1: the counters add up" sh -c '! grep "do not add up" r'
}

# The function tracer calls stack_trace_save() at the same hits. Its stacks begin with its own hook and
# nt_called(). It drops the hits of interrupts that arrive in that hook, so leave out these here, too. Some
# are known by nt_called() only, and some by a thunk that calls the hook, where the unwinder loses its way.
echo 4096 > $tracing/buffer_size_kb
echo nt_called > $tracing/set_ftrace_filter
echo function > $tracing/current_tracer
setup sh -c "echo 1 > $tracing/options/func_stack_trace"
echo > $tracing/trace
setup nestrace record -q --stack -l nt_called -b 4096 -o t.dat sh -c "$all"
cat $tracing/trace > theirs.txt
echo 0 > $tracing/options/func_stack_trace
echo nop > $tracing/current_tracer
echo > $tracing/set_ftrace_filter
setup nestrace report t.dat > r
balanced "beside func_stack_trace"
stacks r > all
stacks theirs.txt | sed 's/ nt_called / : /; s/.* ://' | grep -v ' nt_called \|_thunk' | sort > theirs
grep -v ' nt_called \|_thunk' all | sort > ours
is "each of 840 hits has its stack" "$(wc -l < all) $(grep -c '<stack trace>' r)" "840 840"
ok "the callers are those of func_stack_trace, hit by hit" cmp ours theirs
ok "these are most of the hits" test "$(wc -l < ours)" -gt 600
uniq -c ours | show
is "each stack is whole, or ends in a thunk" "$(grep -c '^\[' r)" "$(grep -c '_thunk[a-z0-9_]*$' all)"
for context in on_soft on_hard on_nmi; do
	ok "there are stacks through $context" grep -q " $context" all
done

setup nestrace export --folded t.dat > f
is "export --folded: a hit of a task has its stack" "$(sed -n 's/^task;.*;kthread;load_thread;nt_called //p' f)" 600
is "export --folded: each hit is there once" "$(awk '{ n += $NF } END { print n }' f)" 840
is "export --jsonl: each hit has its stack" "$(nestrace export --jsonl t.dat | grep -c '"stack":\["')" 840
is "--context: a stack goes with its hit" "$(nestrace report --context nmi t.dat | grep -c '<stack trace>')" 40
caller=$(sed -n 's/.*: softirq *nt_called <- //p' r | head -n 1)
is "-F: a stack goes with its hit" \
	"$(nestrace report -F "parent_ip =~ \"$caller\"" t.dat | grep -c '<stack trace>')" "$(grep -c " <- $caller" r)"

for how in "--func-stack -C tsc" "--stack -W --ret" "--stack --flight"; do
	setup nestrace record -q $how -l nt_called -b 4096 -o t.dat sh -c "$all"
	setup nestrace report t.dat > r
	balanced "$how"
	is "$how: each hit has its stack" "$(stacks r | wc -l)" 840
	is "$how: nothing is lost" "$(counter r total hits) $(counter r total recorded)" "840 840"
	ok "$how: trace-cmd reads it" sh -c 'trace-cmd report -i t.dat > theirs 2> err && [ ! -s err ]'
	is "$how: trace-cmd finds the stacks" "$(grep -c 'kernel_stack' theirs)" 840
done

setup nestrace record -q --stack=2 -l nt_called -o t.dat sh -c "$all"
setup nestrace report t.dat > r
is "--stack=2: each stack has 2 callers" "$(stacks r | awk '{ print NF }' | sort -u)" 2
is "--stack=2: each says that there are more" "$(grep -c '^\[there are more callers\]' r)" 840
ok "--stack=2: the report says so" grep -q '^# stacks: up to 2 callers' r

setup nestrace record -q --stack-of nt_called -l nt_called -l ksys_write -o t.dat sh -c "$all"
setup nestrace report t.dat > r
balanced "--stack-of"
is "--stack-of: only the hits of that function have a stack" \
	"$(stacks r | wc -l) $(grep -c '<stack trace>' r)" "840 840"
ok "--stack-of: others are recorded without" grep -q 'ksys_write <- ' r

# small rings lose whole records, and count each
for how in "-b 1 -W" "-b 1 --ret" "-b 16 --flight"; do
	setup nestrace record -q --stack=128 $how -l nt_called -o t.dat sh -c 'echo "task 3000 softirq 500 hardirq 500 nmi 200" > /proc/nt_calls'
	setup nestrace report t.dat > r
	balanced "--stack=128 $how"
	is "--stack=128 $how: 8400 calls are counted" "$(counter r total hits)" 8400
	ok "--stack=128 $how: something is lost" test "$(counter r total lost)" -gt 0
	is "--stack=128 $how: each hit in the file has its stack" \
		"$(grep -c 'nt_called <- ' r)" "$(stacks r | wc -l)"
	ok "--stack=128 $how: trace-cmd reads it" sh -c 'trace-cmd report -i t.dat > theirs 2> err && [ ! -s err ]'
done

# all functions; a kernel with checks has too many hits for a file
setup nestrace record -q --stack --flight -b 2048 -o t.dat sh -c "echo 'task 100 nmi 20' > /proc/nt_calls
	find /proc/self > /dev/null; ls -l /sys/kernel > /dev/null; for i in \$(seq 20); do (:); done" > /dev/null
ok "the module goes at once after all functions" rmmod nestrace
setup nestrace report t.dat > r
balanced "all functions"
grep '^#' r | show
ok "all functions: there are stacks" test "$(grep -c '<stack trace>' r)" -gt 1000
is "all functions: the unwinder is not traced" "$(counter r total recursed)" 0
ok "all functions: less than 1 of 200 stacks has no end" \
	test $(($(grep -c '^\[\(callers\|the unw\)' r) * 200)) -lt "$(grep -c '<stack trace>' r)"
is "after all: no function is traced" "$(cat $tracing/enabled_functions)" ""
