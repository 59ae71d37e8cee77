"""Sweeps: one network at several settings, on processes of this machine or on a Dask cluster.

A point is a chip, a width of weights and a number of steps. `plan_sweep` makes the points,
`run_sweep` compiles and runs each on the engine and keeps what comes out, `SweepReport` has all
figures and says which points no other one beats (`pareto_front`), `write_report` writes them.
"""

from .cluster_workers import ClusterWorkers as ClusterWorkers
from .local_workers import LocalWorkers as LocalWorkers
from .outcome import Outcome as Outcome
from .outcome import PointFailure as PointFailure
from .outcome import PointResult as PointResult
from .pareto import OBJECTIVES as OBJECTIVES
from .pareto import pareto_front as pareto_front
from .plan import SweepPlan as SweepPlan
from .plan import plan_sweep as plan_sweep
from .points import AS_STORED as AS_STORED
from .points import PointSettings as PointSettings
from .points import SweepPoint as SweepPoint
from .points import grid as grid
from .report import SweepReport as SweepReport
from .report import report_sweep as report_sweep
from .report_files import write_report as write_report
from .run_point import run_point as run_point
from .sweep import check_sweep_folder as check_sweep_folder
from .sweep import run_sweep as run_sweep
from .table import POINT_COLUMNS as POINT_COLUMNS
from .table import point_rows as point_rows
from .workers import Workers as Workers
