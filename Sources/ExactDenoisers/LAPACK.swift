import COpenBLAS
import Schedulers
