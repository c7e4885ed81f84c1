# Measure how long it takes to arm and to disarm all functions, with nestrace and with ftrace's
# own tracer. Boot with -i and -p none.
setup insmod /tests/nestrace.ko
arming
