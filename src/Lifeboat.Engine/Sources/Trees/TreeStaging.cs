using System.Buffers;
using System.Globalization;
using Lifeboat.Engine.Errors;
using Lifeboat.Engine.Sources.Local;
using Microsoft.Win32.SafeHandles;

namespace Lifeboat.Engine.Sources.Trees;

/// <summary>Builds a tree from its manifest inside one empty folder, and nowhere else.</summary>
internal sealed class TreeStaging(TreeManifest manifest, Folder root, TraitRules rules, ByteMeter meter)
{
    private const int BufferBytes = 256 * 1024;
    private const int Hole = 64 * 1024;

    public async Task BuildAsync(int workers, CancellationToken cancellation)
    {
        List<(ManifestEntry Entry, byte[] First)> furtherNames = [];
        await using (BoundedWork work = new(workers, cancellation))
        {
            await CreateAllAsync(work, furtherNames, cancellation);
            await work.FinishAsync(cancellation);
        }

        foreach ((ManifestEntry entry, byte[] first) in furtherNames)
        {
            cancellation.ThrowIfCancellationRequested();
            AddName(entry.Path, first);
        }

        FinishFolders(cancellation);
        meter.Flush();
    }

    private async Task CreateAllAsync(
        BoundedWork work, List<(ManifestEntry Entry, byte[] First)> furtherNames, CancellationToken cancellation)
    {
        using FolderStack stack = new(root);
        Dictionary<long, byte[]> firstNames = [];
        foreach (ManifestEntry entry in manifest.Entries(cancellation))
        {
            if (entry.Kind == FileKind.Folder)
            {
                if (!TreePath.IsRoot(entry.Path))
                    stack.ParentOf(entry).CreateFolder(TreePath.NameOf(entry.Path));
                stack.Enter(entry);
            }
            else if (entry.HardLinkId != 0 && !firstNames.TryAdd(entry.HardLinkId, entry.Path))
            {
                furtherNames.Add((entry, firstNames[entry.HardLinkId]));
            }
            else if (entry.Kind == FileKind.Regular)
            {
                await AddFileAsync(work, stack.ParentOf(entry), entry);
            }
            else
            {
                CreateSpecial(stack.ParentOf(entry), entry);
            }
        }
    }

    private void AddName(byte[] path, byte[] first)
    {
        using Folder parent = FolderStack.OpenParentOf(root, path);
        using Folder firstParent = FolderStack.OpenParentOf(root, first);
        parent.CreateHardLink(TreePath.NameOf(path), firstParent, TreePath.NameOf(first));
    }

    private async Task AddFileAsync(BoundedWork work, Folder parent, ManifestEntry entry)
    {
        parent.Share();
        bool added = false;
        try
        {
            await work.AddAsync(token =>
            {
                using (parent)
                    CreateFile(parent, entry, token);
                return Task.CompletedTask;
            });
            added = true;
        }
        finally
        {
            if (!added)
                parent.Dispose();
        }
    }

    private void CreateSpecial(Folder parent, ManifestEntry entry)
    {
        byte[] name = TreePath.NameOf(entry.Path);
        if (entry.Kind == FileKind.SymbolicLink)
            parent.CreateSymbolicLink(name, entry.Target!);
        else
            parent.CreateFifo(name);
        parent.Apply(name, entry.Kind, rules.Effective(entry.Traits));
    }

    private void CreateFile(Folder parent, ManifestEntry entry, CancellationToken cancellation)
    {
        byte[] name = TreePath.NameOf(entry.Path);
        using (Stream content = manifest.Snapshot.Open(entry.Contents!))
        using (SafeFileHandle file = parent.CreateFile(name))
        {
            Copy(content, file, parent, entry, cancellation);
            parent.ApplyTo(file, name, rules.Effective(entry.Traits));
        }
    }

    private void Copy(Stream content, SafeFileHandle file, Folder parent, ManifestEntry entry, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(entry.Size + 1, 16, BufferBytes));
        try
        {
            long size = 0;
            while (content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) is > 0 and int count)
            {
                cancellation.ThrowIfCancellationRequested();
                if (size + count > entry.Size)
                    throw OtherSize(entry, "more");
                Write(file, buffer.AsSpan(0, count), size, parent, entry);
                size += count;
                meter.Add(count);
            }

            if (size != entry.Size)
                throw OtherSize(entry, size.ToString(CultureInfo.InvariantCulture));
            if (entry.IsSparse)
                RandomAccess.SetLength(file, size);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset, Folder parent, ManifestEntry entry)
    {
        try
        {
            for (int start = 0; start < bytes.Length; start += Hole)
            {
                ReadOnlySpan<byte> block = entry.IsSparse ? bytes.Slice(start, Math.Min(Hole, bytes.Length - start)) : bytes;
                if (!entry.IsSparse || block.ContainsAnyExcept((byte)0))
                    RandomAccess.Write(file, block, offset + start);
                if (!entry.IsSparse)
                    return;
            }
        }
        catch (IOException e)
        {
            throw new FileFailure(FileFailure.TroubleOf(e), $"cannot write {parent.Describe(TreePath.NameOf(entry.Path))}: {e.Message}", e);
        }
    }

    /// <summary>Gives the folders their traits once nothing is created in them any more, the deepest first.</summary>
    private void FinishFolders(CancellationToken cancellation)
    {
        using FolderStack stack = new(root, (folder, entry) => folder.ApplyToSelf(rules.Effective(entry.Traits)));
        foreach (ManifestEntry entry in manifest.Entries(cancellation))
        {
            if (entry.Kind == FileKind.Folder)
                stack.Enter(entry);
        }

        stack.LeaveAll();
    }

    private LifeboatException OtherSize(ManifestEntry entry, string found) => new(
        ErrorCodes.ManifestInvalid,
        string.Create(
            CultureInfo.InvariantCulture, $"{Folder.Readable(TreePath.Relative(entry.Path))} should have {entry.Size} bytes and has {found}"),
        "use another snapshot; this one was altered or damaged",
        manifest.Details.Manifest);
}
