//! The binary as its users meet it: started as a process, judged by output and exit code.
