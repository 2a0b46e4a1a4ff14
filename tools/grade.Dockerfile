# Grade where there is no bubblewrap (macOS, Windows): a Linux container that has it.
#
#   docker build -t grade -f tools/grade.Dockerfile .
#   docker run --rm --network none --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
#       --security-opt apparmor=unconfined --security-opt systempaths=unconfined --memory 8g --pids-limit 1000 \
#       -v "$PWD/submissions:/submissions:ro" -v "$PWD/graded:/graded" \
#       grade --assignment 02-numerical --dir /submissions --out /graded
#
# The options let bubblewrap make its own sandbox for each submission inside; the container itself has no network.
# (Not tried here: this project was made without Docker. The grader tries its sandbox first and says when it does not work.)
FROM python:3.12-slim-bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends bubblewrap util-linux && rm -rf /var/lib/apt/lists/*
WORKDIR /project
COPY requirements.txt requirements-book.txt constraints.txt pyproject.toml README.md ./
COPY lecture_utils lecture_utils
RUN PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu pip install --no-cache-dir -r requirements.txt -c constraints.txt
COPY . .
ENTRYPOINT ["python", "-m", "tools.grade"]
