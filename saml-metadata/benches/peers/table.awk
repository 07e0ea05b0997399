# Converts lines "label|nanoseconds KiB count" into a table with the ratio of each row to the first.
{
    line = $0
    split(line, half, "|")
    split(half[2], value, " ")
    if (!first) {
        first = value[1]
        print "| | time | MB/s | of " first_name " time | peak memory | counted |"
        print "|---|---|---|---|---|---|"
    }
    time = value[1] >= 1e9 ? sprintf("%.2f s", value[1] / 1e9) : \
        value[1] >= 1e6 ? sprintf("%.1f ms", value[1] / 1e6) : sprintf("%.2f µs", value[1] / 1e3)
    printf "| %s | %s | %.0f | %.2f | %.1f MiB | %d |\n", half[1], time, bytes * 1000 / value[1], \
        value[1] / first, value[2] / 1024, value[3]
}
