# Converts lines "label|nanoseconds KiB users letters" into a table with the ratio of each row to the first.
{
    split($0, half, "|")
    split(half[2], value, " ")
    if (!first) {
        first = value[1]
        counted = value[3] " " value[4]
        print "| | CPU time | ratio | peak memory | users |"
        print "|---|---|---|---|---|"
    }
    if (value[3] " " value[4] != counted) print half[1] ": other users were listed: " half[2] > "/dev/stderr"
    printf "| %s | %.2f s | %.1f | %.1f MiB | %d |\n", half[1], value[1] / 1e9, value[1] / first, value[2] / 1024, value[3]
}
