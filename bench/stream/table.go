//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"

	"sage/bench/internal/stat"
	"sage/bench/internal/table"
)

// figures gives a figure of each way by its key; nil for a way that was not measured.
func figures[R any](rows []R, key func(R) string, figure func(R) []float64) map[string][]float64 {
	all := make(map[string][]float64)
	for _, row := range rows {
		all[key(row)] = figure(row)
	}
	return all
}

// printRaw prints the table of whole screens and single pixels.
func printRaw(out io.Writer, rows []*rawRow, s *site, o options) error {
	of := func(figure func(*rawRow) []float64) map[string][]float64 {
		return figures(rows, func(r *rawRow) string { return r.key }, figure)
	}
	rate := of(func(r *rawRow) []float64 { return r.rate })
	cost := of(func(r *rawRow) []float64 { return r.cost })
	p50 := of(func(r *rawRow) []float64 { return r.p50 })
	p99 := of(func(r *rawRow) []float64 { return r.p99 })

	fmt.Fprintf(out, "Whole screens, %dx%d, raw, from Xtigervnc: %d rounds of %s, and %d round trips of one pixel\n",
		rawWidth, rawHeight, o.rounds, o.span, o.trips)
	w := table.New(out)
	fmt.Fprintln(w, "way\tMB/s\tof straight TCP\tCPU s/GB\tof websockify\ttrip p50, us\tof nginx stream\tp99, us\tof nginx stream")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t%s\t%.0f\t%s\t%.0f\t%s\n", r.name, stat.Of(r.rate).Median/1e6, ratio(r.rate, rate[keyTCP]),
			own(r.way, stat.Of(r.cost).Format(2)), own(r.way, ratio(r.cost, cost[keyWebsockify])),
			stat.Of(r.p50).Median*1e6, ratio(r.p50, p50[keyNginx]), stat.Of(r.p99).Median*1e6, ratio(r.p99, p99[keyNginx]))
	}
	fmt.Fprintln(w)
	table.Aims(w,
		table.Aim{What: "Sage rfb's rate, of straight TCP", Figures: stat.Ratios(rate[keySageRFB], rate[keyTCP]), Limit: 0.80},
		table.Aim{What: "Sage rfb's rate, of the fastest proxy", Figures: stat.Ratios(rate[keySageRFB],
			fastest(rate[keyNginx], rate[keyWebsockify], rate[keyNginxWebsockify])), Limit: 1},
		table.Aim{What: "Sage rfb's CPU per GB, of websockify", Figures: stat.Ratios(cost[keySageRFB], cost[keyWebsockify]), Limit: 0.50, AtMost: true},
		table.Aim{What: "Sage rfb's trip p50, of nginx stream", Figures: stat.Ratios(p50[keySageRFB], p50[keyNginx]), Limit: 1, AtMost: true},
		table.Aim{What: "Sage rfb's trip p99, of nginx stream", Figures: stat.Ratios(p99[keySageRFB], p99[keyNginx]), Limit: 1, AtMost: true},
		table.Aim{What: "Sage websocket's rate, of its websockify", Figures: stat.Ratios(rate[keySageWebSocket], rate[keyWebsockify]), Limit: 0.95},
		table.Aim{What: "understanding's rate, of Sage rfb", Figures: stat.Ratios(rate[keySageUnderstood], rate[keySageRFB]), Limit: 0.97},
		table.Aim{What: "understanding's CPU per GB, of Sage rfb", Figures: stat.Ratios(cost[keySageUnderstood], cost[keySageRFB]), Limit: 1.03, AtMost: true},
	)
	if err := w.Flush(); err != nil {
		return err
	}
	printNotes(out, rows, s, o)
	return nil
}

// printNotes says what a reader of the table of whole screens must know.
func printNotes(out io.Writer, rows []*rawRow, s *site, o options) {
	fmt.Fprintln(out, "\nCPU is that of all between viewer and server, with websockify where Sage or nginx stands in front of it.")
	var others []float64
	for _, r := range rows {
		others = append(others, r.others...)
		if r.key == keyTCP {
			served := stat.Of(r.served)
			fmt.Fprintf(out, "Xtigervnc uses %s CPU s/GB for straight TCP: with a processor of its own it could give %.0f MB/s.\n",
				served.Format(2), 1e3/served.Median)
		}
	}
	for _, k := range o.kinds {
		if k.tuned {
			fmt.Fprintf(out, "%s: proxy_buffer_size %s, the fastest of what was tried.\n", k.name, bufferName(s.tuned[k.key]))
		}
	}
	printOthers(out, others)
}

// printOthers says how much the figures were disturbed.
func printOthers(out io.Writer, shares []float64) {
	s := stat.Of(shares)
	fmt.Fprintf(out, "Meanwhile others used %.0f %% (%.0f..%.0f) of the machine's processors.\n\n", 100*s.Median, 100*s.Min, 100*s.Max)
}

// printReplay prints the table of the recording.
func printReplay(out io.Writer, rows []*replayRow, r *replay) error {
	of := func(figure func(*replayRow) []float64) map[string][]float64 {
		return figures(rows, func(r *replayRow) string { return r.key }, figure)
	}
	cpu := of(func(r *replayRow) []float64 { return r.cpu })
	p99 := of(func(r *replayRow) []float64 { return r.percentiles(99) })
	all := of(func(r *replayRow) []float64 { return r.all })
	straight := stat.Percentile(all[keyTCP], 99)

	updates, size := 0, 0
	for _, m := range r.rec.Of(false) {
		size += len(m.Bytes)
		if m.Update() {
			updates++
		}
	}
	fmt.Fprintf(out, "A person who works, recorded with Tight: %d streams at once, each %d updates and %.1f MB in %.0f s; plays: %d\n",
		r.o.streams, updates, float64(size)/1e6, r.rec.Length().Seconds(), r.o.plays)
	w := table.New(out)
	fmt.Fprintln(w, "way\tCPU s/min\tof nginx, websockify\tdelay p50, us\tp99, us\tp99 added, us\tp99 of nginx, websockify")
	for _, row := range rows {
		added := "-"
		if len(row.between) > 0 && all[keyTCP] != nil {
			added = fmt.Sprintf("%.0f", 1e6*(stat.Percentile(row.all, 99)-straight))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.0f\t%.0f\t%s\t%s\n", row.name, own(row.way, stat.Of(row.cpu).Format(2)),
			own(row.way, ratio(row.cpu, cpu[keyNginxWebsockify])), 1e6*stat.Percentile(row.all, 50),
			1e6*stat.Percentile(row.all, 99), added, ratio(row.percentiles(99), p99[keyNginxWebsockify]))
	}
	fmt.Fprintln(w)
	table.Aims(w,
		table.Aim{What: "Sage rfb's CPU, of nginx, websockify", Figures: stat.Ratios(cpu[keySageRFB], cpu[keyNginxWebsockify]), Limit: 0.50, AtMost: true},
		table.Aim{What: "understanding's CPU, of Sage rfb", Figures: stat.Ratios(cpu[keySageUnderstood], cpu[keySageRFB]), Limit: 1.03, AtMost: true},
	)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nSpreads are over %d parts of each play. The delay is from the server's sending to the viewer's having all of an update.\n",
		parts)
	var others []float64
	for _, row := range rows {
		others = append(others, row.others...)
	}
	printOthers(out, others)
	return nil
}

// own gives text for a way with something between viewer and server.
func own(w *way, text string) string {
	if len(w.between) == 0 {
		return "-"
	}
	return text
}

// ratio gives the spread of a/b over the rounds that both have.
func ratio(a, b []float64) string {
	ratios := stat.Ratios(a, b)
	if len(ratios) == 0 {
		return "-"
	}
	return stat.Of(ratios).Format(2)
}

func bufferName(kib int) string {
	if kib == 0 {
		return "as nginx has it"
	}
	return fmt.Sprintf("%dk", kib)
}

// fastest gives the best figure of each round, of several ways.
func fastest(ways ...[]float64) []float64 {
	var best []float64
	for _, rates := range ways {
		if best == nil {
			best = slices.Clone(rates)
		}
		for i := range min(len(best), len(rates)) {
			best[i] = max(best[i], rates[i])
		}
	}
	return best
}
