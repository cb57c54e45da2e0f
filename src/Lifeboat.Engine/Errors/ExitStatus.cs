namespace Lifeboat.Engine.Errors;

/// <summary>What the program's exit status says; permanent (docs/exit-codes.md).</summary>
public enum ExitStatus
{
    Done = 0,
    Failed = 1,
    Usage = 2,
    Warnings = 3,
    Damage = 4,
    NotFound = 10,
    Locked = 11,
    WrongPassword = 12,
    Cancelled = 130,
}
