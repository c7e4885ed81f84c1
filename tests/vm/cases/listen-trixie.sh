# record -N sends to trace-cmd listen of Debian 13, too.
# kernels: 6.12
# slow: yes
# debian: trixie trace-cmd
setup insmod /tests/nt_calls.ko
# trace-cmd looks up the name of the client
setup sh -c 'echo 127.0.0.1 localhost > /etc/hosts'
setup mkdir far
setsid /tests/trixie/ld.so --library-path /tests/trixie /tests/trixie/trace-cmd listen -p 20000 -d "$PWD/far" > far.log 2>&1 &
within_a_minute grep -qs ":$(printf %04X 20000) " /proc/net/tcp /proc/net/tcp6
show < far.log
nestrace record -q -N 127.0.0.1:20000 -l nt_called sh -c 'echo "task 100 softirq 20 nmi 10" > /proc/nt_calls; exit 3'
is "the status" $? 3
nestrace report far/*.dat > r
is "the known calls" "$(grep -c ': [a-z]* *nt_called <- ' r)" 260
is "the counters are those of the hits" "$(counter r total recorded) $(counter r total lost)" "260 0"
show < far.log
setup rmmod nt_calls
