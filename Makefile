# 统修 Mendline. `make help` lists the targets; `make run` and `make test` set everything up by themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
MENDLINE = .venv/bin/python -m mendline.cli.main

.DEFAULT_GOAL := help
.PHONY: help run test check install format lock advisories rules bench storm docs screenshots stop clean

help:  ## 列出命令 / list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: install  ## 启动系统（第一次约三分钟）/ set up and start everything until Ctrl-C
	@$(MENDLINE) run

stop:  ## 停止 / stop what `make run` started
	@$(MENDLINE) stop

test: install  ## 全部检查与测试 / all checks and tests
	@$(MENDLINE) test

check: install  ## 静态检查 / format, lint, types, imports, migrations, process files
	@$(MENDLINE) check

install:  ## 安装依赖（无变化时跳过）/ install what is missing, skip what is not
	@"$(PYTHON)" mendline/cli/install.py

format: install  ## 整理代码格式 / format the code
	@.venv/bin/python -m ruff format --quiet .
	@.venv/bin/python -m ruff check --quiet --fix .

rules: install  ## 规则由何处执行、由何测试证明 / rule, where enforced, test
	@$(MENDLINE) rules

bench: install  ## 测量速度 / measure speed
	@$(MENDLINE) bench

storm: install  ## 整夜的故障，写出证据页（至多三小时，可续）/ a night of failures and its page (up to 3 h, can be resumed)
	@$(MENDLINE) storm --resume

docs: install  ## 文档站（build/site）/ the documentation site, Chinese and English
	@$(MENDLINE) site

screenshots: install  ## 重拍文档里的截图 / take the pictures of the documentation anew
	@MENDLINE_PICTURES=docs/images .venv/bin/python -m pytest -q tests/browser/test_screens.py -k no_page_is_wider

AGE ?= 7
lock:  ## 重新锁定依赖版本，只用发布满七天的 / pin the requirements anew, with releases that are seven days old
	@test -x .venv/bin/uv || $(MAKE) install  # not always: what is to be locked cannot be installed yet
	@"$(PYTHON)" mendline/cli/lock.py --days "$(AGE)"

advisories: install  ## 与公布的漏洞比对，每周一次，要联网 / compare with published advisories: weekly, with a network
	@$(MENDLINE) advisories

clean:  ## 删除安装的依赖（不删数据）/ remove what was installed, keep the data
	@rm -rf .venv node_modules mendline/web/static/dist
