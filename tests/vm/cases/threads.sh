# -P and -F trace a process with all its threads, --tid one thread, and -c the children too.
# slow: 6.1 debug-6.12
# kernels: 6.1 6.12 debug-6.12 debug-7.2 backports 6.12-rt
setup insmod /tests/nt_calls.ko

# The program threads has three threads before the recording starts and three that start
# later. Each of its threads, and its child, makes 10 calls.

# start FILE: start the program and let $process be its pid; FILE gets the tids
start()
{
	rm -f go "$1"
	threads 3 3 go > "$1" &
	process=$!
	setup within_a_minute has_threads 4
}

has_threads()
{
	[ "$(ls /proc/$process/task | wc -l)" = "$1" ]
}

# record FILE OPTION...: record with these options until the program has ended
record()
{
	local file="$1"
	shift
	setup nestrace record -q -l nt_called "$@" -b 4096 -o t.dat \
		sh -c "touch go; until grep -q ^end $file; do usleep 10000; done"
	setup nestrace report t.dat > r
}

# hits KIND FILE: print the number of hits of each task of KIND in FILE
hits()
{
	local tid
	for tid in $(sed -n "s/^$1 //p" "$2"); do
		grep -c -- "threads-$tid *\[.* nt_called <- " r
	done | tr '\n' ' '
}

# are NAME MAIN BEFORE AFTER CHILD: test the number of hits of each task
are()
{
	is "$1: hits of the main thread" "$(hits main tids)" "$2 "
	is "$1: hits of the threads that exist before" "$(hits before tids)" "$3 "
	is "$1: hits of the threads that start later" "$(hits after tids)" "$4 "
	is "$1: hits of the child" "$(hits child tids)" "$5 "
}

start tids
record tids -P $process
wait $process
are "-P PID" 10 "10 10 10" "10 10 10" 0
is "-P PID: there are no other hits" "$(counter r total recorded)" 70

start tids
record tids -P $process -c
wait $process
are "-P PID -c" 10 "10 10 10" "10 10 10" 10

start tids
record tids --tid $process
wait $process
are "--tid of the main thread" 10 "0 0 0" "0 0 0" 0

start tids
tid=$(ls /proc/$process/task | sort -n | sed -n 2p)
record tids --tid $tid
wait $process
are "--tid of another thread" 0 "10 0 0" "0 0 0" 0

# Both processes wait for the same file.
start other
first=$process
start tids
setup nestrace record -q -l nt_called -P $first,$process -b 4096 -o t.dat \
	sh -c "touch go; until grep -q ^end tids && grep -q ^end other; do usleep 10000; done"
setup nestrace report t.dat > r
wait $first $process
are "-P PID,PID" 10 "10 10 10" "10 10 10" 0
is "-P PID,PID: hits of the main thread of the other process" "$(hits main other)" "10 "
is "-P PID,PID: hits of the later threads of the other process" "$(hits after other)" "10 10 10 "
is "-P PID,PID: there are no other hits" "$(counter r total recorded)" 140

for options in -F "-F -c"; do
	setup nestrace record -q -l nt_called $options -b 4096 -o t.dat threads 3 3 > tids
	setup nestrace report t.dat > r
	case $options in
	-F) are "-F" 10 "10 10 10" "10 10 10" 0 ;;
	*) are "-F -c" 10 "10 10 10" "10 10 10" 10 ;;
	esac
done
setup rmmod nt_calls
ok "the module can be unloaded" rmmod nestrace
