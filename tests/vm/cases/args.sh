# nestrace record --args, -A and --if: the arguments of known calls, in every context, by name and type, and filters
# by them and by return values.
# kernels: 6.1 6.12 backports debug-6.12 kasan-6.12 debug-7.2 6.1-rt 6.12-rt
# slow: 6.1 backports debug-6.12 kasan-6.12 debug-7.2 6.1-rt 6.12-rt
tracing=/sys/kernel/tracing
setup insmod /tests/nt_args.ko
calls='echo "task 3 softirq 2 hardirq 2 nmi 2" > /proc/nt_args'
with_btf=
[ ! -f /sys/kernel/btf/nt_args ] || with_btf=y

# expected FUNCTION: print what call number i of it has, for i from 0
expected()
{
	local i letter colour
	for i in 0 1 2; do
		letter=$(echo ABC | cut -c $((i + 1)))
		colour=NT_RED
		[ $i != 1 ] || colour=NT_BLUE
		case $1 in
		nt_ints) echo "a=$((-1 - i)), b=$((200 + i)), c=$((-300 - i)), d=$((60000 + i)), e=$((-100000 - i)), f=$((4000000000 + i))" ;;
		nt_longs) echo "a=$((-5000000000 - i)), b=0xfedcba987654321$i, c=$([ $i = 1 ] && echo true || echo false), d=$((65 + i)) '$letter', e=$colour" ;;
		nt_many) echo "a=$((1 + i)), b=2, c=3, d=4, e=5, f=6, g=-7, h=0x8000000000000008, i=PTR" ;;
		nt_by_value) echo "a={a=$i, b=2}, b={a=3, b=4, c=5}, c={a=6, b=7}, d=8" ;;
		nt_split) echo "a=1, b=2, c=3, d=4, e=5, f={a=$((6 + i)), b=7}, g=8" ;;
		nt_returns_large) echo "a=$((i + 11))" ;;
		nt_enum) [ $i = 1 ] && echo colour=NT_GREEN || { [ $i = 2 ] && echo colour=77 || echo colour=NT_RED; } ;;
		nt_variadic) echo "format=PTR, ..." ;;
		nt_error|nt_truth) echo "i=$i" ;;
		nt_byte) echo "i=$((250 + i))" ;;
		esac
	done
}
functions="nt_ints nt_longs nt_many nt_by_value nt_split nt_returns_large nt_enum nt_variadic nt_error nt_truth nt_byte"

# got CONTEXT FUNCTION: print the arguments of its calls in the report r, in order; a pointer is PTR
got()
{
	sed -n "s/.*: $1 *$2(\(.*\)) <- .*/\1/p" r | sed 's/\(i\|format\)=0x[0-9a-f]*/\1=PTR/'
}

# balanced NAME: test the accounting of the report r
balanced()
{
	ok "$1: the counters add up" sh -c '! grep "do not add up" r'
}

# all_args HOW: test the arguments of all known calls in the report r
all_args()
{
	local context nr f
	for context in task softirq hardirq nmi; do
		nr=2
		[ $context != task ] || nr=3
		for f in $functions; do
			# newer BTF leaves out functions that return a struct in memory
			! grep -q "$f(.* /\* no BTF \*/) <-" r || [ $f != nt_returns_large ] || continue
			is "$1: $context: $f" "$(got $context $f)" "$(expected $f | head -n $nr)"
		done
	done
	balanced "$1"
}

# ---- all arguments, of known calls, on any kernel that has their types ----
if [ "$with_btf" ]; then
	for how in "" "-C tsc -W" "--stack=3 --flight"; do
		setup nestrace record -q --args $how -l 'nt_*:mod:nt_args' -o t.dat sh -c "$calls"
		setup nestrace report t.dat > r
		all_args "--args $how"
	done
	setup nestrace record -q --args --ret -l 'nt_*:mod:nt_args' -o t.dat sh -c "$calls"
	setup nestrace report --graph t.dat > g
	ok "--graph: an entry has its arguments, and its return value by its type" \
		grep -q '| nt_enum(colour=NT_GREEN); = NT_GREEN$' g
	ok "--graph: a function that returns nothing has no value" grep -q '| nt_ints(a=-1, .*f=4000000000);$' g
	ok "--graph: a negative long is one" grep -q 'nt_many(a=2, .*); = -2000000000000$' g
	ok "--graph: an error has its name" grep -q 'nt_error(i=1); = -2 (ENOENT)$' g
	ok "--graph: a bool is one" grep -q 'nt_truth(i=1); = true$' g
	ok "--graph: a byte is one, though the register has more" grep -q 'nt_byte(i=252); = 252$' g
	setup nestrace export --jsonl t.dat > j
	ok "--jsonl: arguments are an object" \
		grep -q '"function":"nt_longs","caller":"calls","args":{"a":-5000000001,"b":"0xfedcba9876543211","c":true,"d":"66 .B.","e":"NT_BLUE"}}' j
	ok "--jsonl: a return value is of its type" grep -q '"function":"nt_many",.*"returned":-2000000000000}' j
	ok "--jsonl: an error is negative" grep -q '"function":"nt_error",.*"returned":-2}' j
	ok "--jsonl: a bool is true or false" grep -q '"function":"nt_truth",.*"returned":true}' j
	ok "--jsonl: a function that returns nothing has no value" grep -q '"function":"nt_ints",.*"duration_ns":[0-9]*}' j
	setup nestrace report t.dat | sed 's/->.*//' > r
	ok "without --graph, entries have arguments, too" grep -q ': nmi *nt_error(i=1) <- ' r
	is "trace-cmd report shows the calls of such a file" "$(trace-cmd report t.dat 2> err | grep -c 'nt_ints')" 9
	is "trace-cmd report has nothing to complain of" "$(cat err)" ""

	# ---- what pointers point to ----
	values='text, *text, outer->low, outer->high, outer->negative, outer->inner.text, outer->inner.name, outer->inner.deep,
		outer->at->name, outer->at->text, outer->bytes[2], outer->count'
	setup nestrace record -q -l nt_text -A "nt_text($values)" -o t.dat sh -c "$calls"
	setup nestrace report t.dat > r
	balanced "-A"
	first()
	{
		sed -n "s/.*: $1 *nt_text(\(.*\)) <- .*/\1/p" r | head -n 1
	}
	rest='outer->low=0, outer->high=100, outer->negative=-3, outer->inner.text="eleven char", outer->inner.name="inner", outer->inner.deep=0, outer->at->name="pointed at", outer->at->text="static", outer->bytes[2]=3, outer->count=5'
	is "-A: fields of all kinds" "$(first task)" 'text="hello\tworld", *text=104 '"'h', $rest"
	is "-A: in an NMI, too" "$(first nmi)" 'text="in an NMI", *text=105 '"'i', $rest"
	is "-A: a text that ends with its page is read, though the next page is not there" \
		"$(grep -c 'text="ended", \*text=101' r)" 9
	is "-A: what is not there is marked" "$(grep -c 'outer->at->name=(not readable)' r)" 18
	is "-A: a text that goes on where nothing is is shown as its pointer" "$(grep -c 'nt_text(text=0x[0-9a-f]*, \*text=101' r)" 9
	setup nestrace record -q -l nt_text --args=deep -o t.dat sh -c "$calls"
	setup nestrace report t.dat > r
	is "--args=deep: texts are copied" "$(grep -c 'nt_text(text="hello\\tworld", outer=0x' r)" 7
	is "--args=deep: a pointer stays where there is none" "$(grep -c 'nt_text(text=0x[0-9a-f]*, outer=0x0)' r)" 9

	# a function of the fault at memory that is not there: with interrupts on it would look like an interrupt's
	setup nestrace record -q -l nt_text -l fixup_exception -A 'nt_text(outer->at->deep)' -o t.dat sh -c "$calls"
	setup nestrace report t.dat > r
	is "faults: each of 9 recurses, and none is recorded" \
		"$(awk '$2 == "total" { print $4, $6; exit }' r)" "27 9"
	is "faults: interrupts that came meanwhile are still themselves" "$(grep -c 'fixup_exception' r)" "$(grep -c '^# recursion' r)"

	# ---- filters ----
	# filtered NAME WANTED HITS OPTION...: record with the options; WANTED of HITS hits pass
	filtered()
	{
		local name=$1 want=$2 hits=$3 mark='<-'
		shift 3
		case "$*" in *--ret=exit*) mark='->' ;; esac
		setup nestrace record -q "$@" -o t.dat sh -c "$calls"
		setup nestrace report t.dat > r
		is "--if $name: hits that pass" "$(grep -c ": \(task\|softirq\|hardirq\|nmi\) *nt_.* $mark " r)" "$want"
		is "--if $name: hits, recorded, filtered" "$(awk '$2 == "total" { print $3, $4, $7; exit }' r)" \
			"$hits $want $((hits - want))"
		balanced "--if $name"
	}
	filtered "a == -2" 4 9 -l nt_ints --if 'a == -2'
	filtered "unsigned" 9 9 -l nt_ints --if 'f > 3999999999'
	filtered "or" 5 9 -l nt_ints --if 'a == -2 || c == -302'
	filtered "and, not" 4 9 -l nt_ints --if '!(a == -1) && !(c == -302)'
	filtered "two of them" 1 9 -l nt_ints --if 'a < -1' --if 'b > 201'
	filtered "mask" 4 9 -l nt_ints --if '(b & 1) == 1'
	filtered "mask without brackets" 5 9 -l nt_ints --if '!(b & 1)'
	filtered "value in brackets" 4 9 -l nt_ints --if '((a)) == -2'
	filtered "not, without a comparison" 5 9 -l nt_longs --if '!c'
	filtered "enum" 5 9 -l nt_longs --if 'e == NT_RED'
	filtered "bool and character" 4 9 -l nt_longs --if "c && d == 'B'"
	filtered "on the stack" 9 9 -l nt_many --if 'g == -7 && h == 0x8000000000000008'
	filtered "by value" 1 9 -l nt_by_value --if 'a.a == 2 && b.c == 5 && c.b == 7'
	filtered "text" 7 27 -l nt_text --if 'text == "hello	world"'
	filtered "text as report writes it" 7 27 -l nt_text --if 'text == "hello\tworl\x64"'
	filtered "other text" 2 27 -l nt_text --if 'text != "hello	world" && outer->at->name == "pointed at"'
	filtered "not readable: no" 9 27 -l nt_text --if 'outer->at->deep != 1'
	filtered "one function of two" 13 18 -l nt_ints -l nt_longs --if 'nt_ints: a == -2' 
	filtered "with --ret" 4 9 --ret -l nt_ints --if 'a == -2'
	filtered "with --args and --stack" 4 9 --args --stack=2 -l nt_ints --if 'a == -2'
	filtered "retval" 4 9 --ret=exit -l nt_error --if 'retval == -ENOENT'
	filtered "retval and argument" 1 9 --ret=exit -l nt_byte --if 'retval >= 251 && i == 252'

	# ---- what is wrong, where, and what there is ----
	wrong()
	{
		says "$1" 125 "$2" nestrace record -q -l nt_ints -l nt_text --if "$1" true
	}
	wrong 'nt_ints: nosuch > 1' "no such argument at column 2: ' nosuch > 1'; nt_ints() has a, b, c, d, e, f, retval"
	wrong 'nt_text: outer->nosuch == 1' "no such field at column 9: ' outer->nosuch == 1'; struct nt_outer has low, high, negative, inner, at, bytes, count"
	wrong 'nt_ints: a >' "a number is missing at column 5"
	wrong 'nt_ints: a == "x"' "not a text, but a number at column 7"
	wrong 'nt_text: text == 5' "a text is compared at column 7"
	wrong 'nt_ints: a->b' "not a pointer at column 3"
	wrong 'nt_text: outer.low' "a pointer at column 7: ' outer.low'; use -> for a field of what it points to"
	wrong 'nt_text: outer->inner' "a struct nt_inner at column 2: ' outer->inner'; choose a field: text, name, deep"
	wrong 'nt_ints: (a' "a ) is missing"
	wrong 'nt_ints: a == 1 b' "not understood at column 9: ' a == 1 b'; use && or || between comparisons"
	wrong 'nt_text: outer->bytes[9] == 1' "the array is shorter at column 14"
	wrong 'nt_ints: a == NOSUCH' "not a number at column 7"
	wrong 'nosuch: a == 1' "no such function for --if, or -l does not select it: 'nosuch'"
	wrong 'nt_ints: !a == 1' "a ! before a comparison at column 5"
	wrong 'nt_ints: a == 128' "out of the range of this type at column 7: ' a == 128'; it has -128 to 127"
	wrong 'nt_ints: b == -1' "out of the range of this type at column 7: ' b == -1'; it has 0 to 255"
	wrong 'nt_ints: e == 99999999999999999999' "the number is too large at column 7"
	wrong 'nt_text: text == "\q"' "not understood at column 11"
	says "retval without --ret=exit" 125 "use --ret=exit" nestrace record -q -l nt_error --ret --if 'retval < 0' true
	says "retval of void" 125 "nt_ints() returns nothing" nestrace record -q -l nt_ints --ret=exit --if 'retval < 0' true
	says "arguments at the return" 125 "join them with && only" \
		nestrace record -q -l nt_error --ret=exit --if 'retval < 0 || i == 1' true
	for value in nt_text 'nt_text(text' 'nt_text(text) x' 'nt_text(text->x)' 'nt_text(outer->inner)' 'nt_text()'; do
		says "-A $value" 125 "'$value'" nestrace record -q -l nt_text -A "$value" true
	done
	says "-A of a function that is not there" 125 "no such function, or -l does not select it: 'nosuch'" \
		nestrace record -q -l nt_text -A 'nosuch(a)' true
	says "-A beside --ret=exit" 2 "--ret=exit records returns only" nestrace record -q --ret=exit -A 'nt_text(text)' true
fi

# ---- functions of the kernel ----
types=
[ ! -f /sys/kernel/btf/vmlinux ] || types=y
if [ "$types" ]; then
mkdir /tmp/args
echo content > /tmp/args/a_file
reads='dd if=/dev/zero of=/dev/null bs=5000 count=3; cat /tmp/args/a_file; dd if=/tmp/args/a_file of=/dev/null bs=7000'
setup nestrace record -q --args -l vfs_read -o t.dat sh -c "$reads" > /dev/null 2>&1
setup nestrace report t.dat > r
is "vfs_read has its counts" "$(grep -c 'vfs_read(file=0x[0-9a-f]*, buf=0x[0-9a-f]*, count=5000, pos=0x[0-9a-f]*) <- ksys_read' r)" 3
setup nestrace record -q -l vfs_read --if 'count > 4999 && count < 6000' -o t.dat sh -c "$reads" > /dev/null 2>&1
setup nestrace report t.dat > r
is "--if on a function of the kernel" "$(grep -c ' vfs_read <- ' r)" 3
setup nestrace record -q -l vfs_read -A 'vfs_read(count, file->f_path.dentry->d_name.name)' \
	--if 'file->f_path.dentry->d_name.name == "a_file"' -o t.dat sh -c "$reads" > /dev/null 2>&1
setup nestrace report t.dat > r
ok "the name of a file, four pointers away" \
	grep -q 'vfs_read(count=7000, file->f_path.dentry->d_name.name="a_file") <- ' r
ok "no other file passes" sh -c '! grep "vfs_read(" r | grep -v a_file'
says "a field that is not there" 125 "struct file has" \
	nestrace record -q -l vfs_read --if 'file->nosuch == 1' true
says "a pointer to a text is no number" 125 "a text is compared" \
	nestrace record -q -l vfs_read --if 'buf == 1' true
setup nestrace record -q -l vfs_read --if 'buf == "content"' -o t.dat sh -c "$reads" > /dev/null 2>&1
setup nestrace report t.dat > r
is "the memory of a user is not read" "$(grep -c ' vfs_read <- ' r)" 0
setup nestrace record -q -l vfs_read --if 'buf != NULL && count == 5000' -o t.dat sh -c "$reads" > /dev/null 2>&1
setup nestrace report t.dat > r
is "a pointer to a text is compared with NULL" "$(grep -c ' vfs_read <- ' r)" 3
fi

# ---- what the kernel's own tracers record ----
if [ -f $tracing/options/func-args ]; then
	setup trace-cmd record -q -p function -O func-args -l vfs_read -o t.dat sh -c "$reads" > /dev/null 2>&1
	setup nestrace report t.dat > r
	ok "arguments of the kernel's function tracer are shown" grep -q 'vfs_read(rdi=0x[0-9a-f]*, .*rdx=0x1388.* <- ' r
fi
