# nestrace stat -i --time shows how long functions took in what trace-cmd's function_graph recorded:
# an interrupt's time is not that of the function that it interrupts.
# kernels: 6.1 6.12 backports
# slow: 6.1
setup insmod /tests/nt_calls.ko
setup insmod /tests/nt_busy.ko

# column N FUNCTION CONTEXT: print a column of its row in the table s
column()
{
	awk -v n="$1" -v name="$2" -v context="$3" '$9 == name && $8 == context { print $n }' s
}

# between VALUE LOW HIGH: is LOW <= VALUE <= HIGH?
between()
{
	awk -v x="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(x != "" && x >= low && x <= high) }'
}

# ---- a function of 60 ms that is interrupted 20 times or so, for 2 ms each ----
graph="trace-cmd record -q -p function_graph -b 16384"
setup $graph -o t.dat sh -c 'echo "60000 2000 3000" > /proc/nt_busy' > /dev/null
interrupts=$(cat /proc/nt_busy)
setup nestrace stat -i t.dat --time -o s
head -n 4 s | show
grep -E ' nt_busy_(task|irq)$|^#' s | show
note "$interrupts interrupts"
is "the interrupted function returned once" "$(column 1 nt_busy_task task)" 1
is "the function of the interrupts returned as often as they came" "$(column 1 nt_busy_irq hardirq)" "$interrupts"
ok "half of the calls of the interrupts' function took 2 ms at least" between "$(column 5 nt_busy_irq hardirq)" 2000 6000
ok "the interrupted function is not charged with the interrupts" \
	between "$(column 2 nt_busy_task task)" 1000 $((60000 - interrupts * 2000 + 10000))
# irq_enter_rcu() runs before an interrupt counts as one
edges=$(awk -v total="$(column 2 nt_busy_task task)" -v self="$(column 3 nt_busy_task task)" 'BEGIN { print total - self }')
note "$edges us of its total are the first functions of interrupts"
ok "it calls nothing, so its self time is nearly its total" between "$edges" 0 1000
# the kernel's own duration of the same call has them
theirs=$(trace-cmd report -i t.dat -O fgraph:tailprint=1 2> /dev/null | sed -n 's/.*funcgraph_exit: *.* \([0-9.]*\) us *|.*} *\/\* nt_busy_task.*/\1/p')
note "trace-cmd report says that it took ${theirs:-?} us"
ok "trace-cmd report charges it with them" between "$theirs" 60000 1000000000

# ---- known calls ----
setup $graph -l nt_called -o t.dat sh -c 'echo "task 100 softirq 50 hardirq 50" > /proc/nt_calls' > /dev/null
setup nestrace stat -i t.dat --time -o s
show < s
is "calls in tasks" "$(column 1 nt_called task)" 200
is "calls in softirqs" "$(column 1 nt_called softirq)" 100
is "calls in hardirqs" "$(column 1 nt_called hardirq)" 100
setup nestrace stat -i t.dat --hist nt_called -o h
show < h
is "--hist: each context has its calls" "$(sed -n 's/^nt_called, \([a-z]*\): \([0-9]*\) calls.*/\1 \2/p' h | sort | tr '\n' ' ')" \
	"hardirq 100 softirq 100 task 200 "
is "--hist: the ranges have all calls" "$(awk -F '[ |]+' '/^ .*\|/ { n += $3 } END { print n }' h)" 400
says "--hist: no such function" 1 "no function that returned matches: '--hist nosuch'" nestrace stat -i t.dat --hist nosuch

# ---- all functions, on both CPUs: each entry is counted once ----
setup $graph -o t.dat sh -c '(find /sys/kernel/mm & find /proc/self & wait) > /dev/null' > /dev/null
setup nestrace stat -i t.dat --time -o s
entries=$(trace-cmd report -i t.dat 2> /dev/null | grep -c 'funcgraph_entry:')
notes=$(sed -n 's/^# \([0-9]*\) calls .*/\1/p' s | awk '{ n += $1 } END { print n + 0 }')
is "all functions: returned, inside and without a return are all that were entered" \
	$(($(awk '$1 ~ /^[0-9]/ && NF >= 9 { n += $1 } END { print n }' s) + notes)) "$entries"

ok "all functions: the file has calls that had not returned" grep -q '^# [0-9]* calls had not returned' s
setup nestrace stat -i t.dat --around 'iterate_dir:1s' --time -o s
ok "--around takes entries as calls" awk '$9 == "iterate_dir" && $1 > 0 { found = 1 } END { exit !found }' s

nestrace record -q -l nt_called -o u.dat true
says "a file without returns: --time" 1 "no calls with returns are in the file: 'u.dat'" nestrace stat -i u.dat --time
says "--time and --hist" 2 "only one of --time and --hist can be shown" nestrace stat -i u.dat --time --hist x
