# Everything here needs Python 3.10 or later, pip and make; the rest is set up on first use, in the
# cache folder ($XDG_CACHE_HOME/concept-attention, else ~/.cache/concept-attention).
PYTHON ?= python3
HOST := $(PYTHON) tools/host.py
PORT ?= 8188
ARGS ?=
# What `make bench` runs after speed and memory; the viewer last, since it alone needs a browser.
BENCHMARKS := truth ablation report masks viewer

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-core lint bench truth ablation report masks viewer evaluate pocket golden workflows pictures snapshot setup

help: ## this list
	@echo "Concept Attention. Set COMFYUI_DIR (and COMFYUI_PYTHON) to use a ComfyUI that you have;"
	@echo "otherwise one is downloaded on first use (about 6 GB with its requirements)."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: ## picture, heatmaps, overlay and capture of the pocket models, into output/demo/
	@$(HOST) demo

serve: ## ComfyUI with this pack, in your browser (PORT=8188)
	@$(HOST) serve --port $(PORT)

test: ## every linter, type check and test, in the real ComfyUI and a real browser
	@$(HOST) check all

test-core: ## the tests that need torch or Node.js only, in seconds
	@$(HOST) check core

lint: ## ruff, mypy, and TypeScript's compiler for the JavaScript
	@$(HOST) check lint

bench: ## everything that BENCHMARKS.md holds, in turn (hours); ARGS=speed: that part of speed and memory alone
	@$(HOST) run tools/bench.py $(ARGS)
	@test -n "$(ARGS)" || for part in $(BENCHMARKS); do $(MAKE) --no-print-directory $$part || exit; done

truth: ## the maps against exact label maps (ARGS="--count 20": of fewer pictures)
	@$(HOST) run tools/bench_truth.py $(ARGS)

ablation: ## every choice of the method, on 500 pictures (hours; goes on where it stopped; ARGS="--part steps")
	@$(HOST) run tools/bench_ablation.py $(ARGS)

report: ## how well the Concept Report tells what is in a picture
	@$(HOST) run tools/bench_report.py $(ARGS)

masks: ## the masks against exact label maps, method by method
	@$(HOST) run tools/bench_masks.py $(ARGS)

viewer: ## speed of the viewer in a real browser
	@$(HOST) browse tools/bench_viewer.py

evaluate: ## your model on ImageNet-Segmentation or PASCAL VOC (ARGS=--help says how)
	@$(HOST) run tools/evaluate.py $(ARGS)

pocket: ## train a pocket model (hours on a CPU; ARGS="--model sd3" or video); continues where it stopped
	@$(HOST) run pocket/train.py $(ARGS)

golden: ## compare with reference numbers: make golden DIR=folder
	@test -n "$(DIR)" || { echo "error: Say which folder: make golden DIR=folder"; exit 1; }
	@$(HOST) run tools/golden.py "$(DIR)" $(ARGS)

workflows: ## write example_workflows/ anew, after a change in tools/graphs/
	@$(HOST) run tools/workflows.py

pictures: ## remake the pictures in the README and of the pocket workflows from real runs
	@$(HOST) browse tools/pictures.py

snapshot: ## write tests/host/object_info.json and locales/en/, after a change of a node's face
	@$(HOST) snapshot

setup: ## download and install the host, run nothing
	@$(HOST) setup
