/* report.js - draws the charts of a report, from the figures that its page has. Sizes are KB, times
 * seconds since the epoch in UTC. Without it the page has its tables. */
(function () {
	"use strict";

	const SHAPES = ["circle", "triangle", "square", "diamond", "cross", "bar"];
	const LANES = 8; /* colours */
	const NEAR = 14; /* pixels, to a mark */

	const root = document.documentElement;
	const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
	const band = (alpha) => "rgba(" + color("band") + ", " + alpha + ")";
	const known = (list) => list.filter((value) => value !== null);
	const most = (list) => list.reduce((top, value) => (value > top ? value : top), 0);

	/* ---------------------------------------------------------------- figures */

	function size(kilobytes) {
		const units = "KMGTPE";
		let value = kilobytes, unit = 0;

		for (; value >= 1000 && unit < units.length - 1; unit++)
			value /= 1024;
		const digits = unit > 0 && value < 100 && !Number.isInteger(value) ? 1 : 0;
		return value.toFixed(digits) + " " + units[unit] + "B";
	}

	function span(seconds) {
		if (seconds < 120)
			return seconds < 10 ? seconds.toFixed(2) + " s" : Math.floor(seconds) + " s";
		const minutes = Math.floor(seconds / 60);
		if (minutes < 120)
			return minutes + " min " + Math.floor(seconds % 60) + " s";
		return Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
	}

	const iso = (seconds) => new Date(seconds * 1000).toISOString();
	const moment = (seconds) => iso(seconds).slice(0, 19).replace("T", " ");

	/* The day stands below the first time of it. */
	function timeTicks(u, splits, axis, space, step) {
		let day = "";

		return splits.map((split) => {
			const text = iso(split), today = text.slice(5, 10);

			if (step >= 86400)
				return today;
			const time = text.slice(11, step >= 60 ? 16 : step >= 1 ? 19 : 21);
			const isNew = today !== day;
			day = today;
			return isNew ? time + "\n" + today : time;
		});
	}

	function sizeSteps() {
		const steps = [];

		for (let unit = 1; unit < 2 ** 50; unit *= 1024)
			for (let factor = 1; factor < 1024; factor *= 2)
				steps.push(unit * factor);
		return steps;
	}

	const countSteps = () => {
		const steps = [];

		for (let unit = 1; unit < 1e12; unit *= 10)
			steps.push(unit, 2 * unit, 5 * unit);
		return steps;
	};

	/* -------------------------------------------------------------------- key */

	const SVG = "http://www.w3.org/2000/svg";

	function picture(parts) {
		const svg = document.createElementNS(SVG, "svg");

		svg.setAttribute("width", "18");
		svg.setAttribute("height", "12");
		svg.setAttribute("aria-hidden", "true");
		for (const [name, attributes] of parts) {
			const part = document.createElementNS(SVG, name);

			for (const attribute in attributes)
				part.setAttribute(attribute, attributes[attribute]);
			svg.append(part);
		}
		return svg;
	}

	const dash = (stroke, width, dashes) => picture([["path",
		{ d: "M0 6H18", stroke, "stroke-width": width, "stroke-dasharray": dashes || "none" }]]);
	const block = (fill) => picture([["rect", { x: 2, y: 1, width: 14, height: 10, fill }]]);
	const shapePicture = (shape, stroke) => picture([["path",
		{ d: shapePath(shape, 9, 6, 4.5), fill: shape === "cross" ? "none" : stroke, stroke, "stroke-width": 1.5 }]]);

	function shapePath(shape, x, y, r) {
		switch (shape) {
		case "triangle":
			return `M${x} ${y - r}L${x + r} ${y + r}L${x - r} ${y + r}Z`;
		case "square":
			return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
		case "diamond":
			return `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`;
		case "cross":
			return `M${x - r} ${y - r}L${x + r} ${y + r}M${x - r} ${y + r}L${x + r} ${y - r}`;
		case "bar":
			return `M${x - r} ${y - r / 3}h${2 * r}v${(2 * r) / 3}h${-2 * r}Z`;
		default:
			return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
		}
	}

	function explain(key, entries) {
		key.replaceChildren(...entries.map(([sign, text]) => {
			const entry = document.createElement("span");

			entry.append(sign, text);
			return entry;
		}));
	}

	/* ------------------------------------------------------------------- parts */

	/* By reason, in the order in which they are in the figures: its color, shape and name. */
	function reasonsOf(figures) {
		const found = new Map();

		for (const series of figures.bars.series)
			if (series.reason >= 0)
				found.set(series.reason, series.name);
		if (figures.marks.some((mark) => mark[2] < 0))
			found.set(-1, "reason unknown");
		return new Map([...found].map(([reason, name], index) =>
			[reason, { name, color: color("mark-" + (index % SHAPES.length)), shape: SHAPES[index % SHAPES.length] }]));
	}

	function rangeOf(figures) {
		const x = figures.bars.x;

		return [x[0], x[x.length - 1] + figures.bars.step];
	}

	/* The limit belongs on the chart unless everything else would be flat at its bottom. */
	function topWith(top, limits) {
		const limit = most(known(limits.map((entry) => entry[1])));

		return { top: Math.max(limit <= 4 * top ? limit : 0, top, 1) * 1.1, isBeyond: limit > 4 * top };
	}

	function clipped(u, beyond, draw) {
		const { left, top, width, height } = u.bbox, more = beyond * uPlot.pxRatio;

		u.ctx.save();
		u.ctx.beginPath();
		u.ctx.rect(left - more, top - more, width + 2 * more, height + 2 * more);
		u.ctx.clip();
		draw(u.ctx, uPlot.pxRatio);
		u.ctx.restore();
	}

	function drawLimit(u, limits) {
		clipped(u, 0, (ctx, ratio) => {
			const y = (value) => u.valToPos(value, "y", true), x = (value) => u.valToPos(value, "x", true);

			ctx.strokeStyle = color("limit");
			ctx.lineWidth = 1.5 * ratio;
			ctx.setLineDash([6 * ratio, 4 * ratio]);
			limits.forEach(([time, limit], index) => {
				if (limit === null)
					return;
				const next = limits[index + 1];
				ctx.beginPath();
				ctx.moveTo(index === 0 ? u.bbox.left : x(time), y(limit));
				ctx.lineTo(next ? x(next[0]) : u.bbox.left + u.bbox.width, y(limit));
				ctx.stroke();
			});
		});
	}

	function drawMarks(u, figures, reasons) {
		const shown = figures.marks.filter((mark) => mark[1] !== null);
		const isDense = shown.length > 400, radius = isDense ? 2.2 : shown.length > 80 ? 3.2 : 4.5;

		clipped(u, radius, (ctx, ratio) => {
			ctx.globalAlpha = isDense ? 0.6 : 1;
			for (const [time, kilobytes, reason, , , , isRehearsal] of shown) {
				const look = reasons.get(reason);
				const path = new Path2D(shapePath(look.shape,
					u.valToPos(time, "x", true), u.valToPos(kilobytes, "y", true), radius * ratio));

				ctx.lineWidth = 1.5 * ratio;
				ctx.strokeStyle = isDense || look.shape === "cross" || isRehearsal ? look.color : color("page");
				ctx.fillStyle = isRehearsal ? color("page") : look.color;
				if (look.shape !== "cross")
					ctx.fill(path);
				if (!isDense || look.shape === "cross" || isRehearsal)
					ctx.stroke(path);
			}
		});
	}

	/* Straight, from birth to leaving; the more there are at a time, the fainter. */
	function drawLives(u, figures) {
		const lives = figures.marks.filter((mark) => mark[1] !== null && mark[4] !== null);
		const [begin, end] = rangeOf(figures);
		const atOnce = lives.reduce((sum, mark) => sum + mark[4], 0) / Math.max(end - begin, 1);

		clipped(u, 0, (ctx, ratio) => {
			ctx.strokeStyle = color("line");
			ctx.lineWidth = ratio * (atOnce > 8 ? 1 : 1.5);
			ctx.globalAlpha = Math.max(0.05, Math.min(0.8, 5 / (atOnce + 1), 0.2 * u.over.clientWidth / lives.length));
			for (const [time, kilobytes, , , age] of lives) {
				ctx.beginPath();
				ctx.moveTo(u.valToPos(time - age, "x", true), u.valToPos(0, "y", true));
				ctx.lineTo(u.valToPos(time, "x", true), u.valToPos(kilobytes, "y", true));
				ctx.stroke();
			}
		});
	}

	/* -------------------------------------------------------------------- tip */

	function nearestMark(u, figures) {
		let nearest = null, distance = NEAR;

		for (const mark of figures.marks) {
			if (mark[1] === null)
				continue;
			const away = Math.hypot(u.valToPos(mark[0], "x") - u.cursor.left, u.valToPos(mark[1], "y") - u.cursor.top);
			if (away < distance) {
				distance = away;
				nearest = mark;
			}
		}
		return nearest;
	}

	function markText([time, kilobytes, reason, pid, age, connections, isRehearsal], reasons) {
		const lines = [moment(time), `${pid} ${isRehearsal ? "would have left" : "left"}`, reasons.get(reason).name,
			size(kilobytes)];

		if (connections !== null)
			lines.push(connections + " connections");
		if (age !== null)
			lines.push("age " + span(age));
		return lines.join("\n");
	}

	/* Shows what `text(u)` says, at the pointer, within the chart. */
	function tip(text) {
		let box, isOver = false;

		return {
			hooks: {
				init: (u) => {
					box = document.createElement("div");
					box.className = "tip";
					box.hidden = true;
					u.over.append(box);
					u.over.addEventListener("mouseenter", () => { isOver = true; });
					u.over.addEventListener("mouseleave", () => { isOver = false; box.hidden = true; });
				},
				setCursor: (u) => {
					const said = isOver && u.cursor.left >= 0 ? text(u) : null;

					box.hidden = said === null;
					if (said === null)
						return;
					box.textContent = said;
					const beyond = u.cursor.left + box.offsetWidth + 24 > u.over.clientWidth;
					const x = beyond ? Math.max(0, u.cursor.left - box.offsetWidth - 12) : u.cursor.left + 12;
					const y = Math.max(0, Math.min(u.cursor.top, u.over.clientHeight - box.offsetHeight));
					box.style.transform = `translate(${x}px, ${y}px)`;
				},
			},
		};
	}

	/* ------------------------------------------------------------------ charts */

	function options(figures, height, yAxis, more) {
		const axis = { stroke: color("soft"), grid: { stroke: color("grid"), width: 1 },
			ticks: { stroke: color("grid"), width: 1, size: 6 },
			font: "12px " + getComputedStyle(document.body).fontFamily };

		return Object.assign({
			height,
			padding: [8, 30, 0, 0],
			legend: { show: false },
			tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
			cursor: { y: false, points: { show: false }, drag: { x: true, y: false }, sync: { key: figures.key } },
			axes: [Object.assign({ values: timeTicks, space: 62, size: 48 }, axis), Object.assign({ size: 68, space: 36 }, yAxis, axis)],
		}, more);
	}

	/* All charts of a pool have the same span, unless somebody selects a part of it. */
	const xScale = (figures) => ({ time: true, range: (u, min, max) => {
		const x = u.data[0];

		return min < max && (min !== x[0] || max !== x[x.length - 1]) ? [min, max] : rangeOf(figures);
	} });

	const sizeAxis = { incrs: sizeSteps(), values: (u, splits) => splits.map((split) => split === 0 ? "0" : size(split)) };
	const countAxis = { incrs: countSteps(), values: (u, splits) => splits.map(String) };

	/* A line breaks where another worker takes the place of one that is gone. */
	function breaks(line, x) {
		return (u, series, first, last) => line.pids.filter(([index]) => index > 0).map(([index]) => {
			let before = index - 1, after = index;

			while (before > 0 && line.y[before] === null)
				before--;
			while (after < x.length - 1 && line.y[after] === null)
				after++;
			return [u.valToPos(x[before], "x", true) - uPlot.pxRatio * 1.5, u.valToPos(x[after], "x", true) + uPlot.pxRatio * 1.5];
		}).filter(([from, to]) => to > from);
	}

	function pidAt(line, index) {
		let pid = null;

		for (const [first, whose] of line.pids)
			if (first <= index)
				pid = whose;
		return pid;
	}

	function linesText(u, figures, lines) {
		const index = u.cursor.idx, MOST = 8;

		if (index === null || index === undefined)
			return null;
		const rows = lines.filter((line) => line.y[index] !== null && line.y[index] !== undefined)
			.map((line) => [line.y[index], pidAt(line, index)]).sort((one, other) => other[0] - one[0]);
		const text = [moment(figures.x[index])];
		if (figures.kind === "spread")
			text.push("most " + size(figures.spread[6][index]), "median " + size(figures.spread[3][index]));
		for (const [kilobytes, pid] of rows.slice(0, MOST))
			text.push(pid + "  " + size(kilobytes));
		if (rows.length > MOST)
			text.push("and " + (rows.length - MOST) + " more");
		return text.join("\n");
	}

	function limitEntry(figures, limits, isBeyond) {
		const last = limits.length > 0 ? limits[limits.length - 1][1] : null;

		return last === null ? [] : [[dash(color("limit"), 2, "5 3"), "limit " + size(last) + (isBeyond ? ", above this chart" : "")]];
	}

	function spreadSeries(figures) {
		const edge = { stroke: "transparent", width: 0, points: { show: false } };
		const series = [6, 5, 4, 3, 2, 1, 0].map((which) => which === 3
			? { stroke: color("line"), width: 2.5, points: { show: false } } : edge);
		const bands = [[1, 7, 0.14], [2, 6, 0.2], [3, 5, 0.28]]
			.map(([high, low, alpha]) => ({ series: [high, low], fill: band(alpha) }));

		return { series, bands, data: [6, 5, 4, 3, 2, 1, 0].map((which) => figures.spread[which]) };
	}

	function laneSeries(figures) {
		const isFew = figures.lines.length <= LANES, isSpread = figures.kind === "spread";

		return figures.lines.map((line, index) => ({
			stroke: isSpread ? color("lane-" + (index + 1)) : isFew ? color("lane-" + index) : color("line"),
			width: isSpread ? 1.25 : isFew ? 2 : 1.25,
			alpha: isFew || isSpread ? 1 : 0.6,
			spanGaps: false,
			gaps: breaks(line, figures.x),
			points: { show: known(line.y).length < 3, size: 6 },
		}));
	}

	function memoryKey(figures, reasons, isBeyond) {
		const entries = [];

		if (figures.kind === "lines")
			entries.push([dash(color(figures.lines.length > LANES ? "line" : "lane-0"), 2.5), "one worker"]);
		if (figures.kind === "spread")
			entries.push([dash(color("line"), 3), "median"], [block(band(0.62)), "half"], [block(band(0.34)), "eight tenths"],
				[block(band(0.14)), "all"], ...figures.lines.map((line, index) =>
					[dash(color("lane-" + (index + 1)), 1.5), "worker " + line.pids[0][1]]));
		if (figures.kind === "lives")
			entries.push([dash(color("line"), 2), "from birth to leaving"]);
		entries.push(...limitEntry(figures, figures.limit, isBeyond));
		for (const { name, color: fill, shape } of reasons.values())
			if (figures.marks.some((mark) => mark[1] !== null))
				entries.push([shapePicture(shape, fill), (figures.marks.every((mark) => mark[6]) ? "would leave: " : "left: ") + name]);
		return entries;
	}

	function memoryChart(figures, height) {
		const reasons = reasonsOf(figures), isLives = figures.kind === "lives";
		const spread = figures.kind === "spread" ? spreadSeries(figures) : { series: [], bands: [], data: [] };
		const values = [...spread.data.slice(0, 1), ...figures.lines.map((line) => line.y)].flat();
		const { top, isBeyond } = topWith(Math.max(most(known(values)),
			most(known(figures.marks.map((mark) => mark[1])))), figures.limit);
		const x = isLives ? rangeOf(figures) : figures.x;
		const data = isLives ? [x, [null, null]] : [x, ...spread.data, ...figures.lines.map((line) => line.y)];
		const series = isLives ? [{}] : [...spread.series, ...laneSeries(figures)];

		return {
			data,
			key: memoryKey(figures, reasons, isBeyond),
			options: options(figures, height, sizeAxis, {
				scales: { x: xScale(figures), y: { range: () => [0, top] } },
				series: [{}, ...series],
				bands: spread.bands,
				plugins: [tip((u) => {
					const mark = nearestMark(u, figures);

					return mark ? markText(mark, reasons) : isLives ? null : linesText(u, figures, figures.lines);
				})],
				hooks: { draw: [(u) => {
					if (isLives)
						drawLives(u, figures);
					drawLimit(u, figures.limit);
					drawMarks(u, figures, reasons);
				}] },
			}),
		};
	}

	function barColor(figures, reasons, series) {
		if (series.reason >= 0)
			return reasons.get(series.reason).color;
		return color(series.name.startsWith("died") ? "limit" : "mark-5");
	}

	function leavingsChart(figures, height) {
		const reasons = reasonsOf(figures), bars = figures.bars;
		const sums = [];
		let sum = bars.x.map(() => 0);

		for (const series of bars.series) {
			sum = sum.map((value, index) => value + series.y[index]);
			sums.unshift(sum);
		}
		const text = (u) => {
			const index = u.cursor.idx;
			const said = index === null || index === undefined ? [] : bars.series.filter((series) => series.y[index] > 0);

			return said.length === 0 ? null
				: [moment(bars.x[index]) + ", " + span(bars.step), ...said.map((series) => series.y[index] + "  " + series.name)].join("\n");
		};
		return {
			data: [bars.x, ...sums],
			key: bars.series.map((series) => [block(barColor(figures, reasons, series)), series.name]),
			options: options(figures, height, countAxis, {
				scales: { x: xScale(figures), y: { range: () => [0, Math.max(most(sum), 1) * 1.1] } },
				series: [{}, ...[...bars.series].reverse().map((series) => ({
					fill: barColor(figures, reasons, series), width: 0, points: { show: false },
					paths: uPlot.paths.bars({ size: [0.8, 48], align: 1 }),
				}))],
				plugins: [tip(text)],
			}),
		};
	}

	const TOTAL_COLORS = { proportional: "lane-0", unshared: "lane-2", swapped: "lane-3" };

	function totalChart(figures, height) {
		const total = figures.total;
		const { top, isBeyond } = topWith(most(known(total.series.map((series) => series.y).flat())), total.limit);
		const text = (u) => {
			const index = u.cursor.idx;

			return index === null || index === undefined ? null
				: [moment(total.x[index]), ...total.series.filter((series) => series.y[index] !== null)
					.map((series) => series.name + " " + size(series.y[index]))].join("\n");
		};
		return {
			data: [total.x, ...total.series.map((series) => series.y)],
			key: [...total.series.map((series) => [dash(color(TOTAL_COLORS[series.name]), 2.5), series.name]),
				...limitEntry(figures, total.limit, isBeyond)],
			options: options(figures, height, sizeAxis, {
				scales: { x: xScale(figures), y: { range: () => [0, top] } },
				series: [{}, ...total.series.map((series, index) => ({
					stroke: color(TOTAL_COLORS[series.name]), width: 2, spanGaps: true,
					fill: index === 0 ? band(0.12) : undefined, points: { show: known(series.y).length < 3, size: 6 },
				}))],
				plugins: [tip(text)],
				hooks: { draw: [(u) => drawLimit(u, total.limit)] },
			}),
		};
	}

	/* -------------------------------------------------------------------- page */

	const CHARTS = {
		memory: [memoryChart, 340, 260],
		leavings: [leavingsChart, 190, 170],
		total: [totalChart, 230, 200],
	};
	const PAPER = 660; /* pixels */
	let drawn = [];

	function draw(figure, figures) {
		const [make, tall, low] = CHARTS[figure.dataset.chart], plot = figure.querySelector(".plot");
		const title = figure.querySelector("strong").textContent;

		figure.hidden = false;
		const width = root.classList.contains("paper") ? PAPER : plot.clientWidth;
		const chart = make(figures, width < 560 ? low : tall);
		explain(figure.querySelector(".key"), chart.key);
		chart.options.width = width;
		plot.setAttribute("role", "img");
		plot.setAttribute("aria-label", title + " The tables below have its figures.");
		const u = new uPlot(chart.options, chart.data, plot);

		return { u, plot };
	}

	function drawAll() {
		for (const { u } of drawn)
			u.destroy();
		drawn = [];
		document.querySelectorAll("section.pool").forEach((pool, index) => {
			const source = pool.querySelector("script.figures");

			if (source === null)
				return;
			const figures = JSON.parse(source.textContent);
			figures.key = "pool" + index;
			for (const figure of pool.querySelectorAll("figure.chart"))
				drawn.push(draw(figure, figures));
		});
	}

	function fit() {
		for (const { u, plot } of drawn)
			if (plot.clientWidth > 0 && plot.clientWidth !== u.width && !root.classList.contains("paper"))
				u.setSize({ width: plot.clientWidth, height: u.height });
	}

	function print(isPaper) {
		root.classList.toggle("paper", isPaper);
		if (isPaper)
			for (const details of document.querySelectorAll("details:not([open])")) {
				details.open = true;
				details.dataset.closed = "";
			}
		else
			for (const details of document.querySelectorAll("details[data-closed]"))
				details.open = false;
		drawAll();
	}

	drawAll();
	new ResizeObserver(fit).observe(document.body);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
	addEventListener("beforeprint", () => print(true));
	addEventListener("afterprint", () => print(false));
})();
