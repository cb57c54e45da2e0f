using Lifeboat.Engine.Errors;

namespace Lifeboat.Engine.Sources.Local;

/// <summary>Renames that belong together: when one fails, those before it are taken back.</summary>
internal sealed class RenameSequence : IDisposable
{
    private readonly Stack<Done> _done = new();

    /// <param name="mayVanish">Whether it is in order when it is gone by the time that the rename is to be taken back.</param>
    public void Rename(Folder from, byte[] name, Folder to, byte[] newName, bool mayVanish = false)
    {
        from.Rename(name, to, newName);
        _done.Push(new Done(from.Share(), name, to.Share(), newName, mayVanish));
    }

    /// <summary>Makes what was renamed survive a power cut.</summary>
    public void Flush()
    {
        foreach (Folder folder in _done.SelectMany(static rename => (Folder[])[rename.From, rename.To]).Distinct())
            folder.Flush();
    }

    /// <summary>Takes all renames back, the last one first.</summary>
    /// <exception cref="LifeboatException">Some could not be; each is named, so that a person can do it.</exception>
    public void RollBack()
    {
        List<Problem> problems = [];
        while (_done.TryPop(out Done? rename))
        {
            try
            {
                if (!rename.MayVanish || rename.To.Find(rename.NewName) is not null)
                    rename.To.Rename(rename.NewName, rename.From, rename.Name);
                rename.From.Flush();
                rename.To.Flush();
            }
            catch (IOException e)
            {
                problems.Add(new Problem(
                    ErrorCodes.FileOperationFailed,
                    $"the switch could not be taken back: {e.Message}",
                    $"rename {rename.To.Describe(rename.NewName)} to {rename.From.Describe(rename.Name)} "
                    + "by hand before the application is started"));
            }

            rename.From.Dispose();
            rename.To.Dispose();
        }

        if (problems.Count > 0)
            throw new LifeboatException(problems);
    }

    public void Dispose()
    {
        while (_done.TryPop(out Done? rename))
        {
            rename.From.Dispose();
            rename.To.Dispose();
        }
    }

    private sealed record Done(Folder From, byte[] Name, Folder To, byte[] NewName, bool MayVanish);
}
