# A name is that of the time of the hit, or absent.
# kernels: 6.1 6.12 debug-6.12
# slow: 6.1 debug-6.12

# names FILE FUNCTION: count the hits of FUNCTION in each output
hits()
{
	nestrace report "$1" | grep -c " $2 <-"
}

# base MODULE: print the address of its code
base()
{
	cat "/sys/module/$1/sections/.text"
}

# ---- a module that is gone before the recording ends ----
reload()
{
	for i in 1 2 3; do
		insmod /tests/nt_calls.ko
		echo "here 50" > /proc/nt_calls
		rmmod nt_calls
	done
}
setup nestrace record -q -F -c -b 16384 -o t.dat sh -c "$(text_of reload); reload"
setup nestrace report t.dat > r
is "a module loaded and unloaded three times: its calls have their name in report" "$(hits t.dat nt_called)" 150
is "it has its name in trace-cmd report" "$(trace-cmd report -i t.dat 2>/dev/null | grep -c ' nt_called <--')" 150
is "it has its name in export --csv" "$(nestrace export --csv t.dat | grep -c '"nt_called",')" 150
is "it has its name in export --json" "$(nestrace export --json t.dat | grep -c '"function":"nt_called"')" 150
is "it has its name in stat -i" "$(nestrace stat -i t.dat | calls_in - nt_called)" 150
ok "the caller of its functions has its name" grep -q ' nt_called <- helper_write' r
ok "the functions of its init have their names" grep -q ' calls_init <- do_one_initcall' r
setup nestrace stat -l :mod:nt_calls -o s sh -c "$(text_of reload); reload" 2> /dev/null
is "nestrace stat has its name" "$(calls_in s nt_called)" 150

# ---- another module at its addresses ----
# each: load both modules by turns; print where they were
each()
{
	for i in 1 2 3; do
		for m in nt_calls nt_twin; do
			insmod /tests/$m.ko
			cat /sys/module/$m/sections/.text >> places
			echo "here 10" > /proc/$m
			rmmod $m
		done
	done
}
: > places
setup nestrace record -q -l :mod:nt_calls -l :mod:nt_twin -o t.dat sh -c "$(text_of each); each" 2> /dev/null
note "$(sort places | uniq | wc -l) places of 6"
same=$(awk 'NR % 2 { a[$1] } !(NR % 2) && $1 in a { n++ } END { print n + 0 }' places)
ok "two modules are at the same addresses by turns" test "$same" -gt 0
setup nestrace report t.dat > r
is "modules at the same addresses: the first has its name in report" "$(hits t.dat nt_called)" 30
is "modules at the same addresses: the second has its name in report" "$(hits t.dat nt_twin_called)" 30
is "modules at the same addresses: the first has its name in stat -i" "$(nestrace stat -i t.dat | calls_in - nt_called)" 30
is "modules at the same addresses: -F finds the second" "$(nestrace report -F 'ip == "nt_twin_called"' t.dat | grep -c ' <- ')" 30
# in a file of trace-cmd's kind an address has one name, or none
trace-cmd report -i t.dat > tc 2> /dev/null
ok "modules at the same addresses: trace-cmd report shows no wrong name" test "$(grep -c ' nt_called <--' tc)" -le 30
ok "modules at the same addresses: trace-cmd report shows no wrong other name" test "$(grep -c ' nt_twin_called <--' tc)" -le 30
setup nestrace stat -l :mod:nt_calls -l :mod:nt_twin -o s sh -c "$(text_of each); each" 2> /dev/null
is "modules at the same addresses: nestrace stat has the first" "$(calls_in s nt_called)" 30
is "modules at the same addresses: nestrace stat has the second" "$(calls_in s nt_twin_called)" 30

# ---- -l follows modules ----
setup nestrace record -q -l ':mod:nt_calls' -o t.dat sh -c "$(text_of each); each" 2> err
ok "-l :mod:MODULE of a module that is not loaded: it is said" grep -q "no such module is loaded: 'nt_calls'; its functions will be traced once it is" err
is "-l :mod:MODULE traces the module each time that it comes" "$(hits t.dat nt_called)" 30
is "-l :mod:MODULE traces no other module at its addresses" "$(hits t.dat nt_twin_called)" 0
ok "-l :mod:MODULE traces the functions of its init" sh -c 'nestrace report t.dat | grep -q " calls_init <- do_one_initcall"'
setup insmod /tests/nt_calls.ko
setup nestrace record -q -l nt_called -o t.dat sh -c "rmmod nt_calls; $(text_of each); each"
is "-l NAME traces the module each time that it comes" "$(hits t.dat nt_called)" 30
is "-l NAME traces no other function at its address" "$(hits t.dat nt_twin_called)" 0
setup nestrace record -q -l ':mod:nonsense' -o t.dat sh -c "$(text_of each); each" 2> /dev/null
is "-l :mod:MODULE of a module that never comes traces nothing" "$(nestrace report t.dat | grep -c ' <- ')" 0

setup insmod /tests/nt_calls.ko
setup nestrace record -q -l nt_called -l ':mod:nt_calls' -o t.dat sh -c "rmmod nt_calls; $(text_of each); each"
is "two -l for the same module: its calls have their name" "$(hits t.dat nt_called)" 30
is "two -l for the same module: no other module is traced at its addresses" "$(hits t.dat nt_twin_called)" 0
setup insmod /tests/nt_calls.ko
setup nestrace record -q -F -n nt_called -o t.dat sh -c "rmmod nt_calls; $(text_of each); each"
is "-n NAME leaves out the module each time that it comes" "$(hits t.dat nt_called)" 0
is "-n NAME leaves out no other function at its address" "$(hits t.dat nt_twin_called)" 30
setup insmod /tests/nt_calls.ko
setup nestrace record -q -l 'nt_calle*' -o t.dat sh -c "rmmod nt_calls; $(text_of each); each"
is "-l GLOB traces the module each time that it comes" "$(hits t.dat nt_called)" 30
is "-l GLOB traces no other function at its address" "$(hits t.dat nt_twin_called)" 0
setup insmod /tests/nt_calls.ko
setup nestrace record -q -F -n loadavg_proc_show -n 'nt_calle*' -n version_proc_show -o t.dat \
	sh -c "rmmod nt_calls; $(text_of each); each; read x < /proc/loadavg; read x < /proc/version"
is "several -n GLOB: the module is left out each time that it comes" "$(hits t.dat nt_called)" 0
is "several -n GLOB: no other function at its address is left out" "$(hits t.dat nt_twin_called)" 30
is "several -n GLOB: the others are left out once the module is gone" "$(hits t.dat loadavg_proc_show) $(hits t.dat version_proc_show)" "0 0"

# the table of calls of a module still has those of its init when they are another module's
insmod /tests/nt_calls.ko
init=$(cat /sys/module/nt_calls/sections/.init.text)
insmod /tests/nt_twin.ko
note "the init of one module was at $init, the other is at $(cat /sys/module/nt_twin/sections/.text)"
setup nestrace record -q -l ':mod:nt_calls' -o t.dat sh -c 'cat /proc/nt_twin; echo "here 10" > /proc/nt_twin; echo "here 10" > /proc/nt_calls'
is "-l :mod:MODULE traces no other module at the addresses of its init" "$(hits t.dat nt_called) $(hits t.dat nt_twin_called) $(hits t.dat show)" "10 0 0"
setup rmmod nt_twin
setup rmmod nt_calls

# a module whose init fails is gone, and a reference would not keep it
insmod /tests/nt_calls.ko fail=1 2> /dev/null &
setup within_a_minute grep -q '^nt_calls .*Loading' /proc/modules
says "a module in its init: it cannot be left out" 125 "no such module is loaded for -n: ':mod:nt_calls'" nestrace record -q -n :mod:nt_calls -o u.dat true
nestrace record -q -l :mod:nt_calls -o t.dat sleep 4
is "a module whose init fails: the recording ends well" $? 0
wait

says "nestrace events does not wait for a module" 1 "no such module is loaded for -l: ':mod:nonsense'" nestrace events -l :mod:nonsense

# ---- a number is no function ----
for option in "-l 5" "-n 5" "-l 0x10" "--flight --trigger 3"; do
	says "a number is no function: $option" 125 "no function matches" nestrace record -o u.dat $option true
done
says "a number is no function: nestrace events -l 5" 1 "no function matches" nestrace events -l 5
ok "a number is no function: the parameter filter=5 is refused" sh -c '! echo 5 > /sys/module/nestrace/parameters/filter'

# ---- a caller that a trampoline hides ----
setup sh -c 'echo "vfs_*" "seq_*" "*proc*" "*open*" "*read*" > /sys/kernel/tracing/set_ftrace_filter'
setup sh -c 'echo function_graph > /sys/kernel/tracing/current_tracer'
setup nestrace record -q -F -b 16384 -o t.dat sh -c 'cat /proc/loadavg /proc/self/stat > /dev/null; read x < /proc/self/comm; true'
setup sh -c 'echo nop > /sys/kernel/tracing/current_tracer; echo > /sys/kernel/tracing/set_ftrace_filter'
setup nestrace report t.dat > r
note "$(grep -c '<- .return_to_handler.$' r) of $(grep -c ' <- ' r) callers are trampolines"
ok "beside function_graph: there are hits whose caller is a trampoline" grep -q '<- \[return_to_handler\]$' r
ok "beside function_graph: no trampoline is shown as a caller like others" sh -c '! grep -q "<- return_to_handler$" r'
setup nestrace export --folded -o f t.dat
begin=$(grep '^[a-z]*;\[return_to_handler\]' f | awk '{ n += $NF } END { print n + 0 }')
within=$(grep ';.*;\[return_to_handler\]' f | awk '{ n += $NF } END { print n + 0 }')
note "hits below a trampoline: $within in stacks, $begin in stacks that begin with it"
ok "beside function_graph: stacks do not begin anew with the trampoline" test $((begin * 10)) -lt "$within"

# ---- tasks ----
setup nestrace record -q -l 'process_one_work' -o t.dat sh -c 'sleep 2; sync'
nestrace report t.dat | sed -n 's/^ *\(kworker.*\)-[0-9]* *\[.*/\1/p' | sort -u > workers
show < workers
ok "kworkers are in the recording" test -s workers
ok "kworkers have their plain name" sh -c '! grep -vxE "kworker/[0-9u]*:[0-9]*[HIW]*|kworker/R-.*" workers'
name=$(head -n 1 workers)
ok "--comm takes that name" sh -c "nestrace report --comm '$name' t.dat | grep -q process_one_work"

renames()
{
	cat /proc/self/loadavg /proc/loadavg > /dev/null 2>&1
	read x < /proc/loadavg
	printf first > /proc/self/comm
	read x < /proc/loadavg
	printf second > /proc/self/comm
	read x < /proc/loadavg
	exec cat /proc/loadavg
}
setup nestrace record -q -F -l loadavg_proc_show -o t.dat sh -c "$(text_of renames); renames"
is "a task that gets other names has each at its time" "$(nestrace report t.dat | sed -n 's/^ *\(.*\)-[0-9]* *\[.*loadavg.*/\1/p' | tail -n 4 | tr '\n' ' ')" "sh first second cat "
is "--comm finds an earlier name" "$(nestrace report --comm first t.dat | grep -c loadavg)" 1
is "-F finds an earlier name" "$(nestrace report -F 'COMM == "second"' t.dat | grep -c loadavg)" 1

# a kernel may lack them
if [ -e /proc/self/ns/pid ]; then
	setup nestrace record -q -l loadavg_proc_show -o t.dat unshare -f -p sh -c 'cat /proc/loadavg; true'
	is "tasks in a pid namespace have their names" "$(nestrace report t.dat | grep -c ' cat-.*loadavg')" 1
	setup unshare -f -p --mount-proc nestrace record -q -l loadavg_proc_show -o t.dat sh -c 'cat /proc/loadavg; true'
	is "a recorder in a pid namespace names tasks by the pids of the host" "$(nestrace report t.dat | grep -c ' cat-.*loadavg')" 1
fi

# ---- list ----
setup nestrace list > all
ok "list shows no placeholder" sh -c '! grep -q invalid_address all'
ok "list takes '-' for '_' in the name of a module" sh -c 'nestrace list :mod:nt-calls || insmod /tests/nt_calls.ko && nestrace list :mod:nt-calls | grep -q nt_called'
says "list: a module that is not loaded" 1 "no such module is loaded: 'nonsense'" nestrace list :mod:nonsense
says "list: a module that is a part of the kernel" 1 "the module is a part of the kernel: 'printk'" nestrace list :mod:printk
ok "-l takes a line of list with a module" nestrace record -q -l 'nt_called [nt_calls]' -o u.dat true
bad=0
for line in $(awk 'NR % 9973 == 0 && !/\[/ { print $1 }' all); do
	nestrace record -q -l "$line" -o u.dat true || bad=$((bad + 1))
done
is "-l takes the lines of list" $bad 0
